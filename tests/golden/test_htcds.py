"""HTCDS 2.0: workbooks filled in from the real toolkit file, and submissions of the XLSForm.

The quirks of the toolkit: two header rows that disagree in four columns, choices joined by "; "
while four labels hold that sign, and 1,000 rows that are numbered in advance.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest

from loaders.check import CheckResult, check_file
from loaders.land import load_checked
from tipstat.cli import demo
from tipstat.workspace import Workspace

TOOLKITS = (
    "HTCDS Excel Spreadsheet v2.0.xlsx",
    "HTCDS Excel Spreadsheet single select with validation v2.0.xlsx",
)
WATER = "Water supply; sewerage, waste management and remediation"
TRADE = "Wholesale and retail trade; repair of motor vehicles and motorcycles"
HOUSEHOLDS = (
    "Activities of households as employers; undifferentiated goods- and services- producing "
    "activities of households for own use"
)
NAME = "Quetzalcoatlina"
PERSON = {
    "First Name": NAME,
    "Email": f"{NAME}@example.org",
    "Mailing Street": f"{NAME} street 1",
    "Consent": "Yes",
    "Birthdate": "1990-05-17",
    "Gender": "Feminine",
    "Citizenship": "Namibia; Bolivia (Plurinational State of)",
    "Mailing Country": "Taiwan, Province of China",
    "Trafficking Status": "Actual victim of trafficking",
    "Trafficking Status Decision Making Organization": "Police",
    "Method of Recruitment": "At work; Through an online advertisement",
    "Methods of Control": "Debt bondage ; Threatens children/family",
    "Type of Exploitation": "Forced labour; Sexual exploitation",
    "Type of Sex Exploitation": "Prostitution",
    "Forced Labour Industry": f"Construction; {WATER}; {TRADE}",
    "Incoming Referral Date": "2024-03-05",
    "Reason for Incoming Referral": "Other",
    "Outgoing Referral Date": "2024-06-01",
    "Reason for Outgoing Referral": "Migration Or Change Of Location",
}
SECOND = {
    "Consent": "Yes",
    "Birthdate": "2010-01-01",
    "Gender": "TransgenderFeminine",
    "Citizenship": "Ukraine",
    "Trafficking Status": "Actual victim of trafficking",
    "Trafficking Status Decision Making Organization": "NGO",
    "Type of Exploitation": "Child labour",
    "Forced Labour Industry": HOUSEHOLDS,
    "Incoming Referral Date": "2024-04-01",
}
METADATA = {
    "sender": "XXA-SHELTER",
    "reference_area": "XXA",
    "period_start": "2024-01-01",
    "period_end": "2024-12-31",
    "extraction_date": "2025-01-15",
    "legal_basis": "CONSENT",
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    with demo.own_registry_and_key():
        ws = Workspace.create(tmp_path / "office", key="demo")
        ws.registry().add_entity(
            "XXA-SHELTER", name="A shelter", entity_type="NGO", reference_area="XXA"
        )
        yield ws


def filled(test_data: Path, folder: Path, toolkit: str) -> Path:
    """The toolkit's own file with the third and the fifth row filled in."""
    with warnings.catch_warnings():
        # openpyxl drops the drop-downs that Excel saved as an extension, and says so.
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(test_data / "htcds" / toolkit)
    sheet = book.worksheets[0]
    columns = {sheet.cell(2, c).value: c for c in range(1, sheet.max_column + 1)}
    for row, person in ((3, PERSON), (5, SECOND)):
        for label, value in person.items():
            sheet.cell(row, columns[label]).value = value
    path = folder / "cases.xlsx"
    book.save(path)
    return path


def records(result: CheckResult, name: str, *columns: str) -> list[tuple[object, ...]]:
    listed = ", ".join(f"{column}::varchar" for column in columns)
    return result.connection.execute(f"select {listed} from rec_{name} order by _i").fetchall()


@pytest.mark.parametrize("toolkit", TOOLKITS)
def test_a_filled_toolkit_workbook_loads_with_its_quirks(
    office: Workspace, test_data: Path, tmp_path: Path, toolkit: str
) -> None:
    path = filled(test_data, tmp_path, toolkit)
    with closing(check_file(path, office, layout="htcds_2_toolkit", metadata=METADATA)) as result:
        assert not result.refused
        assert result.records == {"victim": 2, "referral": 3}
        assert result.held_out == {"victim": 0, "referral": 0}
        found = records(
            result, "victim", "sex", "gender", "citizenship", "purpose", "sector", "control",
            "recruitment_method", "victim_status", "status_decided_by", "residence_country", "age",
        )  # fmt: skip
        assert found == [
            (
                "F", "FEMININE", "BOL;NAM", "LAB_FORCED;SEX;SEX_PROSTITUTION", "E;F;G",
                "DEBT_BONDAGE;THREATS_FAMILY", "ONLINE_ADVERT;WORK", "FORMAL", "POLICE", "TWN",
                "33",
            ),
            (
                "_U", "TRANS_FEMININE", "UKR", "LAB_CHILD", "T", "_X", "_X", "IDENTIFIED", "NGO",
                "_X", "14",
            ),
        ]  # fmt: skip
        referrals = records(
            result, "referral", "referral_no", "referral_direction", "referral_date",
            "referral_reason",
        )  # fmt: skip
        assert referrals == [
            ("1", "INCOMING", "2024-03-05", "OTHER"),
            ("2", "OUTGOING", "2024-06-01", "MIGRATION_RELOCATION"),
            ("1", "INCOMING", "2024-04-01", "_X"),
        ]
        told = {f.rule_id: f.message for f in result.findings()}
    assert told["TIP-669"].startswith("row 1 disagrees with the header in 4 columns")
    assert "N Mailing Street: prs_MailingCity instead of prs_MailingStreet" in told["TIP-669"]
    assert "R Mailing Country: prs_MailingPostalCode" in told["TIP-669"]
    assert told["TIP-131"] == ("998 rows left out: they hold nothing but what stands in column A")


def test_names_and_addresses_are_nowhere_in_the_landing(
    office: Workspace, test_data: Path, tmp_path: Path
) -> None:
    path = filled(test_data, tmp_path, TOOLKITS[0])
    with closing(check_file(path, office, layout="htcds_2_toolkit", metadata=METADATA)) as result:
        assert load_checked(result, office).outcome == "accepted"
        assert NAME not in str(result.findings())
    landed = [file for file in office.root.rglob("*") if file.is_file()]
    assert any(file.suffix == ".parquet" for file in landed)
    assert not [file for file in landed if NAME.encode() in file.read_bytes()]


def test_the_numbers_of_two_years_are_not_one_person(
    office: Workspace, test_data: Path, tmp_path: Path
) -> None:
    path = filled(test_data, tmp_path, TOOLKITS[0])
    references = []
    for year in ("2023", "2024"):
        own = METADATA | {"period_start": f"{year}-01-01", "period_end": f"{year}-12-31"}
        with closing(check_file(path, office, layout="htcds_2_toolkit", metadata=own)) as result:
            references += [reference for (reference,) in records(result, "victim", "victim_ref")]
    assert len(set(references)) == 4


def test_a_toolkit_workbook_without_a_country_is_refused(
    office: Workspace, test_data: Path, tmp_path: Path
) -> None:
    path = filled(test_data, tmp_path, TOOLKITS[0])
    own = {name: value for name, value in METADATA.items() if name != "reference_area"}
    with closing(check_file(path, office, layout="htcds_2_toolkit", metadata=own)) as result:
        assert [f.rule_id for f in result.findings() if f.severity == "refusal"] == ["TIP-664"]


#: What ODK Central adds to the fields of the form.
BEFORE, AFTER = ("SubmissionDate", "start", "end"), (
    "meta-instanceID", "KEY", "SubmitterID", "SubmitterName", "AttachmentsPresent",
    "AttachmentsExpected", "Status", "ReviewState", "DeviceID", "Edits", "FormVersion",
)  # fmt: skip
SUBMITTED = {
    "KEY": "uuid:1",
    "con_Consent": "TRUE",
    "prs_First_Name": NAME,
    "prs_Birthdate": "1990-05-17",
    "prs_Gender": "Masculine",
    "prs_Citizenship": "NA",
    "vic_TraffickingStatus": "ActualVictimOfTrafficking",
    "vic_TraffickingStatusDecisionMakingOrg": "NonPoliceGovernmentalOrganization",
    "vic_MethodOfRecruitment": "AtWork ThroughFamilyOrFamilyEvents",
    "vic_Methods_of_Control": "DebtBondage  PhysicalThreats",
    "vic_TypeOfExploitation": "ForcedLabour SexualExploitation",
    "vic_TypeOfSexExploitation": "Pornography",
    "vic_ForcedLabourIndustry": "E_WaterSupplySewerageWasteManagement F_Construction",
    "cas_IncomingReferralDate": "2024-03-05",
    "cas_ReasonForIncomingReferral": "MigrationOrChangeOfLocation",
}


def test_submissions_of_the_xlsform_load(
    office: Workspace, test_data: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(test_data / "htcds" / "htcds_xlsform.xlsx", read_only=True)
    fields = [
        str(name)
        for kind, name, *_ in book["survey"].iter_rows(min_row=2, values_only=True)
        if kind and kind not in ("start", "end")
    ]
    path = tmp_path / "submissions.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*BEFORE, *fields, *AFTER])
        writer.writeheader()
        writer.writerow(SUBMITTED)
    with closing(check_file(path, office, layout="htcds_2_xlsform", metadata=METADATA)) as result:
        assert not result.refused
        found = records(
            result, "victim", "sex", "citizenship", "purpose", "sector", "control",
            "recruitment_method", "victim_status",
        )  # fmt: skip
        referral = records(result, "referral", "referral_direction", "referral_reason")
    assert found == [
        (
            "M", "NAM", "LAB_FORCED;SEX;SEX_PORNOGRAPHY", "E;F", "DEBT_BONDAGE;THREATS_PHYSICAL",
            "FAMILY;WORK", "FORMAL",
        )
    ]  # fmt: skip
    assert referral == [("INCOMING", "MIGRATION_RELOCATION")]
