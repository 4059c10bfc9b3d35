"""Long lines of a pod's log, as older and newer kubelets give them."""

from services.clusters.log_lines import joined


def test_a_long_line_loses_the_time_stamps_that_older_kubelets_put_into_it() -> None:
    text = b"x" * 16_384 + b"2026-01-01T00:00:00.123Z " + b"y" * 16_384 + b"2026-01-01T00:00:00.5+01:00 " + b"z" * 9
    assert joined(text) == b"x" * 16_384 + b"y" * 16_384 + b"z" * 9


def test_a_letter_of_several_bytes_may_be_split() -> None:
    text = "x" * 16_383 + "é" + "y"
    raw = text.encode()
    assert joined(raw[:16_384] + b"2026-01-01T00:00:00Z " + raw[16_384:]).decode() == text


def test_a_long_line_of_a_newer_kubelet_stays_as_it_is() -> None:
    assert joined(b"x" * 40_000) == b"x" * 40_000
