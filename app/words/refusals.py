"""Why a film or a file was refused, in Chinese: the codes of `xray.errors.Rejected`, whose own sentence is English."""

from collections.abc import Mapping
from types import MappingProxyType

_AGAIN = "请重新导出影像。"
REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "all_padding": f"影像全为填充区或被遮光器遮住，没有可看的内容。{_AGAIN}",
        "bad_answer": "服务器的应答不是 DICOM。请核对地址。",
        "bad_lut": f"影像的查找表损坏。{_AGAIN}",
        "bad_tag": f"影像文件头中有不可能的数值。{_AGAIN}",
        "bad_uid": f"影像文件头中的编号（UID）无效。{_AGAIN}",
        "bare_dicom": f"DICOM 文件缺少文件头。{_AGAIN}",
        "blank_after_voi": f"影像没有内容：所有像素灰度几乎相同。{_AGAIN}",
        "burned_in_annotation": "影像上有烧录的文字，可能含患者身份。请导出不带文字的影像。",
        "corrupt_header": f"影像文件头损坏。{_AGAIN}",
        "corrupt_pixels": f"像素数据损坏，无法解码。{_AGAIN}",
        "decode_memory": f"解码该影像所需的内存超出限度。{_AGAIN}",
        "decode_timeout": f"解码该影像用时过长。{_AGAIN}",
        "decoder_crashed": f"影像无法解码。{_AGAIN}",
        "empty_file": "文件是空的。请重新选择文件。",
        "executable_preamble": "文件开头是可执行程序。请勿运行该文件。",
        "exif_orientation": "图片带有旋转或镜像的 EXIF 标记。请去掉标记，按正立方向保存。",
        "file_changed": "文件在读取时发生变化。请等待复制完成。",
        "for_processing": "这是未经处理的原始数据（For Processing）。请导出供显示的影像。",
        "header_too_large": f"影像文件头过大。{_AGAIN}",
        "missing_tag": f"影像文件头缺少必需的信息。{_AGAIN}",
        "multi_frame": "文件含多帧影像。请单独导出一帧。",
        "nested_too_deep": f"影像文件头嵌套过深。{_AGAIN}",
        "no_pixels": "文件中没有影像。请选择影像文件。",
        "not_a_film": "这不是 DICOM、PNG 或 JPEG 文件。请选择影像文件。",
        "not_chest_film": "这不是胸部 X 光片。请选择胸部 CR 或 DX 影像。",
        "not_dicom": "这不是 DICOM 文件。请选择影像文件。",
        "not_found": "服务器上没有，或 DICOMweb 地址不对。请核对地址。",
        "not_grey": "影像带有彩色，不是灰度胸片。请导出灰度影像。",
        "not_human": "文件头表明这是动物影像。请选择患者的胸片。",
        "not_stored": "服务器没有存入，请查看其日志。",
        "polarity_conflict": "影像的黑白方向自相矛盾，无法判断。请联系管理员设置设备规则。",
        "recognizable_features": "文件头表明可从影像认出患者面容。请勿使用该影像。",
        "secondary_capture": "这是二次采集（截屏类）图像。请以 CR 或 DX 导出原片。",
        "server_error": "服务器出错或没有应答。请稍后再试，或查看其日志。",
        "size_mismatch": f"影像的实际尺寸与文件头不符。{_AGAIN}",
        "too_large": "文件或影像过大。请单独导出这一张影像。",
        "too_small": "影像的像素太少，不足以书写报告。请导出原始大小的影像。",
        "transparent": "图片带有透明部分。请不带透明通道导出。",
        "truncated": "文件不完整。请重新复制文件。",
        "turned_film": "胸片没有正立放置。请按正立方向导出。",
        "unreadable": "文件无法读取。请检查文件是否存在、是否有权读取。",
        "unsupported_bits": f"不支持该影像的位深。{_AGAIN}",
        "unsupported_sop_class": "不支持这一类 DICOM 对象。请选择 CR 或 DX 胸片。",
        "unsupported_transfer_syntax": "不支持该影像的压缩方式。请不压缩或以 JPEG 无损方式导出。",
        "wrong_name": "文件内容与其扩展名不符。请选择影像文件。",
    }
)
UNKNOWN_REFUSAL = "文件未被接受（{code}）。请更换文件，或联系管理员。"
