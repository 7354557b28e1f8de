#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""At a terminal, retort run and its COMMAND are one job of the shell.

Types into an interactive bash on a pseudo-terminal and waits for what it
shows. The argument is the command retort; ends with 0, with 1 and all that was
shown, or with 77 where there are no pseudo-terminals.
"""

import os
import pty
import select
import sys
import time

DEADLINE = 60  # seconds, for each thing that is waited for
PROMPT = "ready> "

# Whether the terminal is its parent's. (A shell that forks may not be stopped
# by ^Z: not while its child is stopped before it was exec'd.)
TELL_FRONT = (
    "import os, time; tty = os.open(\"/dev/tty\", os.O_RDONLY);"
    " [time.sleep(.1) or print(\"front\","
    " os.tcgetpgrp(tty) == os.getpgid(os.getppid())) for i in range(600)]"
)

# The keys typed, and the text then shown. A shell may lose keys typed before
# its command has begun.
SESSIONS = {
    "^Z and bg": [
        (
            "%s run --body x -- sh -c 'echo $((20 + 2)); exec sleep 60'\n",
            "\r\n22\r\n",
        ),
        ("\x1a", "Stopped"),
        ("", PROMPT),
        ("bg\n", "&\r\n"),
        ("", PROMPT),
        ("echo still $((20 + 3))\n", "still 23"),
        ("", PROMPT),
        ("kill -INT %1; wait %1; echo status $?\n", "status 130"),
    ],
    "^Z and fg": [
        (
            "%s run --body x -- sh -c 'echo $((20 + 2)); exec cat'\n",
            "\r\n22\r\n",
        ),
        ("one\n", "one\r\none\r\n"),
        ("\x1a", "Stopped"),
        ("", PROMPT),
        ("fg\n", "cat'\r\n"),
        ("two\n", "two\r\ntwo\r\n"),
        ("\x04", PROMPT),
        ("echo status $?\n", "status 0"),
    ],
    "started in the background": [
        ("%s run --body x -- cat &\n", PROMPT),
        ("fg\n", "-- cat\r\n"),
        ("one\n", "one\r\none\r\n"),
        ("\x03", PROMPT),
        ("echo status $?\n", "status 130"),
    ],
    "bg of what wants the terminal, and fg": [
        ("%s run --body x -- cat &\n", "Stopped"),
        ("bg\n", "&\r\n"),
        ("", "Stopped"),
        ("fg\n", "-- cat\r\n"),
        ("one\n", "one\r\none\r\n"),
        ("\x04", PROMPT),
        ("echo status $?\n", "status 0"),
    ],
    "fg of what runs, and ^Z": [
        (
            "%s run --body x -- python3 -uc '" + TELL_FRONT + "' &\n",
            "front False\r\n",
        ),
        ("fg\n", "front True\r\n"),
        ("\x1a", "Stopped"),
        ("", PROMPT),
        ("kill -INT %1; fg; echo status $?\n", "status 130"),
    ],
    "input from elsewhere": [
        (
            "%s run --body x -- sh -c"
            " 'echo $((20 + 2)); read a </dev/tty; echo got $a' </dev/null\n",
            "\r\n22\r\n",
        ),
        ("one\n", "got one\r\n"),
        ("", PROMPT),
        ("echo status $?\n", "status 0"),
    ],
    "a reader of the terminal behind it": [
        (
            "%s run --body x -- echo $((20 + 2)) |"
            " sh -c 'cat; read a </dev/tty; echo got $a'\n",
            "\r\n22\r\n",
        ),
        ("one\n", "got one\r\n"),
        ("", PROMPT),
        ("echo status $?\n", "status 0"),
    ],
    "the terminal left to another group": [
        (
            "sh -c '%s run --body x --lifetime %t -- bash --norc -i;"
            " echo after $?; read a; echo got $a'\n",
            PROMPT,
        ),
        ("sleep 60\n", "after 5"),
        ("one\n", "got one\r\n"),
    ],
    "a script around it": [
        (
            "sh -c '%s run --body x -- sh -c \"echo on; exec cat\";"
            " echo after $?'\n",
            "\r\non\r\n",
        ),
        ("one\n", "one\r\none\r\n"),
        ("\x1a", "Stopped"),
        ("", PROMPT),
        ("fg\n", "$?'\r\n"),
        ("two\n", "two\r\ntwo\r\n"),
        ("\x04", "after 0"),
    ],
}


def wait_for(terminal, text, wanted, shown):
    """Reads on after `text` until `wanted` is there; what follows it."""
    end = time.monotonic() + DEADLINE
    while wanted not in text:
        left = end - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            raise TimeoutError("expected %r, got %r" % (wanted, text))
        try:
            piece = os.read(terminal, 4096).decode(errors="replace")
        except OSError:  # the shell is gone
            piece = ""
        if not piece:
            raise EOFError("expected %r, the shell ended: %r" % (wanted, text))
        shown.append(piece)
        text += piece
    return text.split(wanted, 1)[1]


# How long "%t" is: the second where the first is over before all was typed.
LIFETIMES = ("2", "20")


def play(retort, steps, lifetime):
    """One session of a shell; what went wrong, or None."""
    shown = []
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(PS1=PROMPT, TERM="dumb", HISTFILE="")
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-bi"])
    try:
        rest = wait_for(terminal, "", PROMPT, shown)
        for typed, wanted in steps:
            text = typed.replace("%s", retort).replace("%t", lifetime)
            os.write(terminal, text.encode())
            rest = wait_for(terminal, rest, wanted, shown)
        return None
    except (TimeoutError, EOFError) as error:
        return "%s\nshown:\n%s" % (error, "".join(shown))
    finally:
        # its jobs are hung up with it
        os.close(terminal)
        os.waitpid(pid, 0)


def main():
    """The exit status."""
    failed = False
    try:
        for descriptor in pty.openpty():
            os.close(descriptor)
    except OSError as error:
        print("a pseudo-terminal: %s" % error)
        return 77
    for name, steps in SESSIONS.items():
        for lifetime in LIFETIMES:
            wrong = play(os.path.abspath(sys.argv[1]), steps, lifetime)
            if wrong is None or not any("%t" in typed for typed, _ in steps):
                break
        if wrong is not None:
            print("%s: %s" % (name, wrong))
            failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
