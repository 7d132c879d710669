"""corpora.py: the shipped program on documents with a real kubeadm's verdict ($JOINBOOT_KUBEADM_CASES, default ../shared/kubeadm)."""
import json
import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(run):
    folder = os.environ.get("JOINBOOT_KUBEADM_CASES") or os.path.join(TOP, "..", "shared", "kubeadm")
    for name in ("validation-cases", "yaml-cases"):
        place = os.path.join(folder, name)
        case = f"show5_{name.replace('-', '_')}"
        if not os.path.isdir(place):
            run.skip(case, f"{place} is not there")
            continue
        with open(os.path.join(place, "verdicts.json")) as f:
            verdicts = json.load(f)
        wrong = [f"{v['doc']}: {reason}" for v in verdicts for reason in [check(run, os.path.join(place, "docs", v["doc"]), v)] if reason]
        run.case(f"{case}: {len(verdicts)} documents", verdicts and not wrong, "; ".join(wrong))


def check(run, path, verdict):
    """What is wrong with joinctl's answer, or None."""
    a = run.joinctl("validate", "-o", "json", path)
    if a.code == 0:
        if verdict["validate"] != "ACCEPT":
            return "accepted, and kubeadm rejects it"
        kinds = [d["kind"] for d in json.loads(a.out)]
        return None if kinds in (["JoinConfiguration"], ["InitConfiguration", "ClusterConfiguration"]) else f"answered {a.out}"
    if a.code != 1 or a.out or not a.err.startswith(path + ":") or a.err.count("\n") != 1:
        return str(a)
    if verdict["validate"] == "ACCEPT" and "[stricter: " not in a.err:
        return f"refused, and no rule is named: {a.err}"
    return None
