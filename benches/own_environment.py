"""Runs a script again in a virtual environment of its own that has a package of PyPI."""
import pathlib
import subprocess
import sys
import tempfile


def run_again_with(package):
    """Ends the program; called where `package` could not be imported."""
    home = pathlib.Path(tempfile.gettempdir()) / f"xunjian-{package}"
    python = home / "bin/python"
    if pathlib.Path(sys.prefix) == home:
        sys.exit(f"{package} cannot be imported")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
    sys.exit(subprocess.run([python, *sys.argv]).returncode)
