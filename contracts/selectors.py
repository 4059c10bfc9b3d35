"""dbt selectors that console and dbt API must write alike."""


def selector_of(unique_id: str, *, path: str | None = None) -> str:
    """A selector that means this one node: a bare name also means a folder or a package of that name.

    `path` is the node's file, where known. What dbt gives no way to part: a model and a singular test with the same
    name and the same file name.
    """
    resource_type, package, *rest = unique_id.split(".")
    if resource_type == "source":
        return f"source:{package}.{'.'.join(rest)}"
    if resource_type == "unit_test":
        return f"unit_test:{package}.{rest[-1]}"
    name = rest[0] if resource_type == "test" else ".".join(rest)
    parts = [name, f"resource_type:{resource_type}", f"package:{package}"]
    if path and resource_type in ("model", "seed"):
        parts.append(f"file:{path.rpartition('/')[2]}")
    return ",".join(parts)
