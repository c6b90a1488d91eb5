"""Claims that more than one step makes."""

import time

from . import account
from .load import Load
from .kube import address_of, kubectl, node_port, nodes, ready, until
from .settings import ADDRESSES, RATE, REPLICAS, SCRAPE_INTERVAL


def addresses(release="api"):
    """Where the load goes: the NodePort on every node."""
    if ADDRESSES and release == "api":
        return ADDRESSES
    port = node_port(release)
    return [f"{address_of(node)}:{port}" for node in nodes()]


def steady(marker, **options):
    # What earlier loads counted must have been scraped before this one begins, or it would be taken for its own.
    time.sleep(SCRAPE_INTERVAL + 3)
    return Load(addresses(), marker, rate=RATE, **options).start()


def all_ready(replicas=REPLICAS, seconds=300):
    return until(f"{replicas} pods are ready", seconds, lambda: len(ready()) == replicas and ready())


def sent(step, load):
    seconds = load.ended - load.began
    step.figure("requests sent", f"{len(load.answers)} answered, {len(load.failures)} failed, in {seconds:.0f} s")
    step.figure("connections", f"{load.connections} opened, {load.resent} requests sent again because a kept one was closed while idle")


def every_answer_has_its_line(step, load, found):
    """Of each answered request one line, and no line of a request that nobody sent; failed requests may have one."""
    ids = [line.trace_id for line in found]
    answered = {answer.trace_id for answer in load.answers}
    step.figure("lines in Loki", len(ids))
    step.expect(len(ids) == len(set(ids)), "no line twice")
    lost, foreign = answered - set(ids), set(ids) - answered
    step.expect(not lost, f"every answered request has its line ({len(lost)} lost)")
    return lost, foreign


def lost_lines(step, load, found, first, last, when):
    """Answered requests may be without a line only between two moments, which `when` names. Gives the ids that have one, and the answers
    that have none."""
    ids = {line.trace_id for line in found}
    lost = [answer for answer in load.answers if answer.trace_id not in ids]
    step.figure("answered requests without a line", f"{len(lost)} of {len(load.answers)}")
    step.expect(all(first < answer.at < last for answer in lost), f"all of them of {when}")
    step.expect(len(ids) == len(found), "no line twice")
    return ids, lost


def counters_are_lines(step, load, found, gone=(), ended=None, lost=0):
    """Counters of each pod that lives are its lines, exactly. Of a pod in `gone`, Prometheus knows what the last scrape saw: what it lacks
    is what was answered after that. `ended` is the second in which the process of the only pod in `gone` ended and made room for a new
    one, whose requests are all counted. `lost` requests of those pods have no line, so that many may be counted above their lines."""
    lines = account.by_pod(found)
    pods = set(lines)

    def settled(counted):
        return all(counted.of(pod) == lines[pod] for pod in pods if pod not in gone)

    if ended:
        # One more scrape of the new process.
        time.sleep(2 * SCRAPE_INTERVAL)
    counted = account.until_counted(load, 4 * SCRAPE_INTERVAL, settled)
    step.figure("http_requests_total", f"{counted.total().total()} in {len(counted.by_pod)} pods")
    wrong = {pod: (counted.of(pod), lines[pod]) for pod in pods | set(counted.by_pod) if pod not in gone and counted.of(pod) != lines[pod]}
    step.expect(not wrong, f"counters = lines, for each pod that was not killed {wrong or ''}".strip())
    if gone:
        unseen = sum(lines[pod] - counted.of(pod) for pod in gone)
        step.figure("requests of ended processes that no scrape saw", f"{unseen} of {sum(lines[pod] for pod in gone)}")
        ended_processes(step, found, {pod: counted.processes.get(pod, []) for pod in gone}, ended, lost)
    return counted


def ended_processes(step, found, processes, ended, lost):
    """What the last scrape of an ended process counted is what had a line by then, and at most `lost` requests whose line is lost."""
    odd = [each for pod, there in processes.items() for each in unexplained(found, pod, there, ended)]
    for said, _ in odd:
        step.note(said)
    above = sum(more for _, more in odd)
    step.expect(all(more for _, more in odd), "each of them was answered after the last scrape of its process")
    step.expect(above <= lost, f"those scrapes counted no request without a line but lost ones ({above}, {lost} lost)")


def unexplained(found, pod, processes, ended):
    """What is odd about the counters of a pod whose (first) process ended, as (what, how many requests the last scrape of that process
    counted above its lines); 0 where no lost line explains it."""
    if not processes:
        return
    counted, (least, most) = processes[0].counted, account.seen_bounds(found, pod, processes[0])
    if not least <= counted <= most:
        yield f"{pod}: {counted} counted, {least} to {most} lines until the last scrape", max(0, counted - most)
    if ended:
        total = account.until_moment(found, pod, time.time())
        least, most = total - account.until_moment(found, pod, ended + 1), total - account.until_moment(found, pod, ended)
        if len(processes) != 2 or not least <= processes[1].counted <= most:
            yield f"{pod}: {processes[1:]} of the new process, {least} to {most} lines", 0


def spread(pods):
    """Pods on each node."""
    found = {}
    for pod in pods:
        found[pod["spec"]["nodeName"]] = found.get(pod["spec"]["nodeName"], 0) + 1
    return dict(sorted(found.items()))


def restarts(pods):
    return sum(each["restartCount"] for pod in pods for each in pod["status"].get("containerStatuses", []))


def replaced(names, seconds=300):
    """Waits until none of these pods is there any more."""
    def gone():
        there = {each.rsplit("/", 1)[-1] for each in kubectl("get", "pods", "--output", "name").split()}
        return not names & there
    return until("the old pods are gone", seconds, gone)
