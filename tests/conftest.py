"""Which tests take long: a run begins with them, so that no worker is left alone with one in the end, and `make quick` leaves them out. What tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs import kept_in
from tests.scans import KeptScans

FOLDER = Path(__file__).parent
SLOW = (
    "test_spark.py",
    "test_docs.py::test_commands_run_and_print_what_the_document_shows",
    "test_oracle.py::test_the_product_agrees_with_the_oracle",
    "test_oracle.py::test_the_extracts_reach_every_verdict_reason_and_remark",
    "test_ci.py",
    "test_impact.py",
    "service/test_nothing_lost.py",
    "test_shadow.py",
    "test_precheck.py::test_the_counter_agrees_with_a_scan",
    "test_precheck.py::test_prescriptions_that_wait_together_are_answered_as_each_alone",
    "shapes/test_companion.py::test_the_counter_agrees_with_a_scan",
    "service/test_service_faults.py",
    "test_csv_files.py",
    "test_large_inputs.py",
    "test_resume.py",
    "service/test_scan_equality.py",
    "test_files.py",
    "ingest/test_unreadable.py",
    "service/test_reload.py",
    "service/test_page.py",
    "databases/test_servers.py",
    "service/test_page_persons.py",
    "service/test_ledger_page.py",
    "service/test_page_access.py",
    "service/test_page_items.py",
    "service/test_page_decisions.py",
    "service/test_page_sales.py",
    "test_audit.py::test_two_million_lines_stay_below_the_memory_ceiling",
    "service/test_openapi.py",
    "test_benchmarks.py",
    "test_workbooks.py",
    "test_identity.py",
    "test_inspect.py",
    "ingest/test_every_form.py",
    "service/test_personal_data.py",
    "service/test_acknowledged.py",
    "knowledge/test_import_agrees.py",
    "shapes/test_terms.py::test_a_scan_agrees_with_the_second_opinion",
    "shapes/test_terms.py::test_what_was_taken_back_was_no_earlier_prescription",
    "shapes/test_terms.py::test_the_counter_agrees_with_the_second_opinion_and_with_a_scan",
    "test_crosswalk.py",
    "test_terms_arrive.py",
    "test_files_read_once.py",
    "test_rules_diff.py",
    "test_rule_layers.py",
    "shapes/test_companion.py::test_a_scan_agrees_with_the_second_opinion",
    "service/test_service.py",
    "service/test_page_terms.py",
    "knowledge/test_crosswalk.py",
    "test_gaps.py",
    "ingest/test_parquet_writers.py",
    "knowledge/test_import_terms.py",
    "test_rule_following.py",
    "service/test_national_refusals.py",
    "test_archives.py",
    "service/test_keeping.py",
    "test_wheel.py",
    "test_refusals.py::test_a_killed_scan_leaves_no_half_result",
    "service/test_serve_page.py",
    "service/test_fuzz_national.py",
    "test_json_files.py",
    "knowledge/test_import.py",
    "databases/test_queries.py",
    "test_samples.py",
    "service/test_china_time.py",
    "service/test_costs.py",
    "test_rules_lock.py",
    "test_cli_rules.py::test_check_counts",
    "test_cli_rules.py::test_each_wrong_expectation_is_told_with_both_values",
    "test_rules_new.py",
    "test_rules_docs.py",
    "test_cli_sql.py",
    "test_python_scan.py::test_what_lies_in_memory_is_not_copied",
    "test_python_scan.py::test_tables_of_every_library_give_the_findings_of_the_files",
    "test_cli_rules.py::test_every_stage_of_every_rule_passes",
    "test_cli_rules.py::test_a_failing_case_is_named_with_field_and_both_values",
    "test_cli_rules.py::test_a_line_that_is_not_judged_is_not_clean",
    "test_cli_rules.py::test_test_counts_the_cases_of_each_rule",
    "test_audit.py::test_lines_kept_on_disk_give_the_findings_of_lines_kept_in_memory",
    "test_audit.py::test_thousands_of_prescriptions_fit_into_the_memory_of_a_scan",
)
"""Files or tests, longest first: random samples, browsers, whole documents, git repositories, inputs of every form, restarts, wheels."""
_PLACE = {entry.partition("::")[0]: place for place, entry in reversed([*enumerate(SLOW)])}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and begin with its files."""
    names = {item: f"{item.path.relative_to(FOLDER).as_posix()}::{item.name}" for item in items}
    for item, name in names.items():
        if name.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: _PLACE.get(names[item].partition("::")[0], len(SLOW)))


@pytest.fixture(scope="session")
def proofs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all workers keep what became of cases."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "proofs"


@pytest.fixture(scope="module")
def proofs(proofs_folder: Path) -> Iterator[None]:
    """Cases that rules were proven by are not run again by equal rules, in whatever file of tests."""
    with kept_in(proofs_folder):
        yield


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> KeptScans:
    """The scans that comparisons have made."""
    return KeptScans(tmp_path_factory.mktemp("scans"))


@pytest.fixture
def kept_scans(scans: KeptScans) -> Iterator[None]:
    """Comparisons do not scan again what another comparison has scanned."""
    with scans.used():
        yield
