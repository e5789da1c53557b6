"""What a report of pip-audit says: status 0 nothing known, 1 a vulnerability, 2 nothing was checked."""

import json
import sys
from pathlib import Path


def main(report: Path) -> int:
    """Print one line per vulnerability and one of counts."""
    packages = json.loads(report.read_text())["dependencies"] if report.is_file() and report.stat().st_size else []
    checked = [package for package in packages if "skip_reason" not in package]
    found = [(package, advisory) for package in checked for advisory in package["vulns"]]
    for package, advisory in found:
        fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
        print(f"VULNERABLE: {package['name']} {package['version']}: {advisory['id']}; fixed in {fixed}")
    print(f"pip-audit: {len(checked)} of {len(packages)} packages checked, {len(found)} vulnerabilities")
    return 1 if found else 0 if checked else 2


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
