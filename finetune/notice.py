"""What stands beside every generated report."""

AI_NOTICE = "人工智能生成，仅供科研评审，未经执业医师审核签署不得用于临床"
