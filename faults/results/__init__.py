# SPDX-License-Identifier: Apache-2.0
"""The way out, ``python -m faults --seed S --number N``: results, from the hook to Heat.

Each schedule (:mod:`faults.results.drawing`) drives the agent against a real Keystone, Zaqar and
Heat (:mod:`faults.results.drive`). Then everything heals, the agent runs until nothing is pending,
and one counts (:mod:`faults.results.judge`).

Who plays Heat's part
    Heat. A stack of real OS::Heat::SoftwareDeployment resources is made once, and reused for
    every schedule as a stack's UPDATE does it: a new derived config through Heat's API
    (``software_configs``), then ``software_deployments.update(config_id, IN_PROGRESS)``. That is
    what the resource's own handle_update calls in the engine, without the rest of a stack update,
    which is the same every time and takes seconds. From there on Heat itself holds the deployment
    IN_PROGRESS, pops its queue when the deployment is shown (as a stack in progress does each
    second), takes signals at the resource, and ignores what it does not wait for. The queue, its
    signed URL and the deployment's own user are the ones that Heat has made. All schedules have
    the same few queues, so a copy that was left on one would be taken for the next one's answer.

    Of the deployments with signed addresses (ZAQAR_MESSAGE) it is Heat with the plug-in's code that
    reads the queue, acknowledges and removes (:mod:`faults.results.plugin`). There every action has
    a queue of its own, which now and then loses all that is on it before Heat has looked; a result
    is pending until the agent has seen Heat's acknowledgement, and a second copy does no harm.

What is counted, for each config that Heat was asked to have deployed
    lost        the agent had a result, and Heat never got it, or got something else; or it was
                abandoned, or an older agent has harmed what a newer one had written
    duplicated  a copy was left on the queue, a second one was ever put there, or the server has
                made a second result
    run twice   its script ran more often than it may
    unanswered  there is no result at all, or it is still pending although all is well; a program
                of the agent hung, or its status called finished what was not

What is counted apart, as the one window that is known (docs/architecture.md): a post whose
answer was lost, followed by a second one, while the first was still on its way or Heat could not
be asked. :func:`faults.results.judge.is_the_window` shows it by what went over the wires.
"""
