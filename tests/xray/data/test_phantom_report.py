import re
from dataclasses import replace

import pytest

from xray.data.phantom import BASE_CONCEPTS, DEMO_CONCEPTS, DrawnFinding, Style, labels, sample_studies, write_report
from xray.data.phantom.report import WORDINGS
from xray.text.labels import label
from xray.text.lexicon import concept

# A word that the statement of this concept cannot do without.
TERM = {
    "cardiomegaly": "增大|扩大",
    "pleural_effusion": "积液|胸水",
    "pneumothorax": "气胸",
    "opacity": "斑片|片状(?!实变)|渗出影",
    "consolidation": "实变",
    "nodule": "结节",
    "mass": "肿块|团块|占位",
    "atelectasis": "不张|膨胀不全",
    "edema": "肺水肿",
    "pleural_thickening": "胸膜.*增厚",
    "fracture": "骨折",
    "pacemaker": "起搏器",
    "endotracheal_tube": "气管内?插管",
    "central_line": "PICC|静脉",
}
SIDE = {"left": "左", "right": "右", "bilateral": "双|两"}
ZONE = {"upper": "上", "middle": "中", "lower": "下"}
DENIAL = re.compile("未见|无(?!肺纹理)|不大|正常|锐利|清晰")


def many(style, count=600):
    return [(study, write_report(study, style=style)) for study in sample_studies(count, seed=31, style=style)]


def findings_part(report):
    return report.split("\n")[0]


@pytest.mark.parametrize("style", Style)
def test_the_same_study_gives_the_same_report(style):
    assert many(style, 30) == many(style, 30)


@pytest.mark.parametrize("style", Style)
def test_every_drawn_finding_is_stated_once_with_its_side_and_zone(style):
    for study, report in many(style):
        affirmed = [s for s in re.split("[。：]", findings_part(report)) if s and not DENIAL.search(s)]
        for finding in study.findings:
            own = [s for s in affirmed if re.search(TERM[finding.concept], s.split("，")[0])]
            assert len(own) == 1, (finding, report)
            assert not finding.laterality or re.search(SIDE[finding.laterality], own[0])
            assert not finding.zone or ZONE[finding.zone] in own[0]


@pytest.mark.parametrize("style", Style)
def test_the_labeler_reads_back_exactly_what_was_drawn(style):
    for study, report in many(style):
        read = label(report).labels
        positive = {name for name, value in read.items() if value == 1}
        assert positive == {name for name, value in labels(study).items() if value}, report
        assert -1 not in read.values()


@pytest.mark.parametrize("style", Style)
def test_nothing_that_was_drawn_is_denied(style):
    denials = {
        "cardiomegaly": "心影不大|心脏不大|大小正常|未见增大",
        "pleural_effusion": "锐利|肋膈角清楚|无胸腔积液|未见胸水",
        "pneumothorax": "未见气胸|无气胸",
        "fracture": "未见骨折|骨质未见异常",
        "atelectasis": "居中|清晰",
    }
    lung_findings = {"opacity", "consolidation", "nodule", "mass", "edema"}
    for study, report in many(style):
        for finding in study.findings:
            banned = denials.get(
                finding.concept, "双肺野清晰|两肺清晰|未见异常密度" if finding.concept in lung_findings else ""
            )
            assert not banned or not re.search(banned, report), (finding, report)
            assert "心肺膈未见异常" not in report


def test_the_size_of_a_lesion_is_written_in_the_hospitals_unit():
    study = replace(
        sample_studies(1, seed=1, style=Style.DEMO)[0],
        findings=(DrawnFinding(concept="nodule", laterality="left", zone="upper", size_mm=27),),
    )
    assert "27mm" in write_report(study, style=Style.DEMO)
    assert "2.7cm" in write_report(study, style=Style.BASE)


def test_the_demo_hospital_repeats_its_findings_in_an_impression():
    for study, report in many(Style.DEMO, 200):
        body, impression = report.split("\n")
        assert body.startswith("影像所见：")
        assert impression.startswith("印象：")
        for finding in study.findings:
            assert re.search(TERM[finding.concept].replace("PICC|", "") + "|渗出", impression)


@pytest.mark.parametrize("style", Style)
def test_reports_are_short_and_vary(style):
    reports = [report for _, report in many(style)]
    lengths = sorted(len(report) for report in reports)
    assert lengths[0] >= 10
    assert lengths[-1] <= 160
    assert len(set(reports)) > 0.7 * len(reports)


@pytest.mark.parametrize("style", Style)
def test_every_finding_can_be_said_in_at_least_four_ways(style):
    for variants in WORDINGS[style].present.values():
        assert len(set(variants)) >= 4


def test_the_hospitals_share_no_sentence_pattern():
    demo, base = ({variant for variants in WORDINGS[style].present.values() for variant in variants} for style in Style)
    assert not demo & base


def test_both_tables_of_wording_cover_their_concepts():
    assert set(WORDINGS[Style.DEMO].present) == set(WORDINGS[Style.DEMO].impression) == set(DEMO_CONCEPTS)
    for style in Style:
        named = set(WORDINGS[style].order) | {"pacemaker", "endotracheal_tube", "central_line"}
        assert set(WORDINGS[style].present) | set(WORDINGS[style].normal) <= named


def test_the_bases_hospital_writes_every_character_that_the_demo_hospital_does():
    # An adapter cannot mend the output vector of a character that pre-training never wrote.
    # The base also learns to list its findings by the lexicon's names.
    texts = [report for _, report in many(Style.BASE, 2000)] + [concept(name).zh for name in BASE_CONCEPTS]
    written = {character for text in texts for character in text}
    assert {character for _, report in many(Style.DEMO) for character in report} <= written


def test_no_report_of_one_hospital_is_a_report_of_the_other():
    assert {report for _, report in many(Style.BASE)}.isdisjoint(report for _, report in many(Style.DEMO))
