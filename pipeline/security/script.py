"""The script `deploy/acls.sh`, made from the rights. Pure."""

from collections.abc import Iterator
from typing import Final

from pipeline.security.acls import SUBSCRIBER, Grant, grants, roles
from schemas.topics import DEFAULT_PREFIX

FILE: Final = "deploy/acls.sh"

_HEAD = """\
#!/usr/bin/env bash
# Gives every role of Dateline its user and its rights on a Kafka cluster. May be run again at any time.
# Made by `python -m pipeline.security --write` from schemas/topics.py; edits here are lost.
#
#   deploy/acls.sh                        every role, for the user dateline-ROLE
#   deploy/acls.sh subscriber=newsroom    one role, for a user of this name; its groups begin with "newsroom."
#   KAFKA_ACLS=echo deploy/acls.sh        show what would be done
#
# ROLES: @roles@
#
# BOOTSTRAP       host:port of the cluster; localhost:9092
# COMMAND_CONFIG  properties file with the login of somebody who may give rights; none
# PREFIX          of the topics; @prefix@
# SECRETS         folder with the passwords, in a file named like the user; a missing one is made.
#                 Without it no users are made: they are there, or are made elsewhere.
# KAFKA_ACLS      Kafka's own command; kafka-acls.sh
# KAFKA_CONFIGS   another one; kafka-configs.sh
set -euo pipefail

BOOTSTRAP=${BOOTSTRAP:-localhost:9092}
PREFIX=${PREFIX:-@prefix@}
ROLES="@roles@"

fail() {
  echo "acls.sh: $*" >&2
  exit 2
}

kafka() {
  local command=$1
  shift
  "$command" --bootstrap-server "$BOOTSTRAP" ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} "$@"
}

allow() {
  kafka "${KAFKA_ACLS:-kafka-acls.sh}" --add --force --allow-principal "User:$user" "$@"
}

make_user() {
  local file=$SECRETS/$user password
  if [[ ! -s $file ]]; then
    (umask 077 && mkdir -p "$SECRETS" && head -c 24 /dev/urandom | base64 >"$file")
  fi
  password=$(<"$file")
  [[ $password =~ ^[A-Za-z0-9+/=_.-]+$ ]] || fail "$file may hold letters, digits and + / = _ . - alone"
  # In a file of no name: what stands in a command line can be seen by everybody on the machine.
  kafka "${KAFKA_CONFIGS:-kafka-configs.sh}" --alter --entity-type users --entity-name "$user" \\
    --add-config-file <(echo "SCRAM-SHA-512=iterations=8192,password=$password")
}
"""

_TAIL = """
[[ $# -gt 0 ]] || set -- $ROLES
for wanted in "$@"; do
  role=${wanted%%=*}
  user=dateline-$role
  [[ $wanted != *=* ]] || user=${wanted#*=}
  [[ " $ROLES " == *" $role "* ]] || fail "$role is none of: $ROLES"
  [[ $user =~ ^[A-Za-z0-9._-]+$ ]] || fail "a user needs a name of letters, digits and . _ -, not '$user'"
  [[ $role != @subscriber@ || $PREFIX != "$user."* ]] || fail "the groups of $user would be ours"
  [[ -z ${SECRETS:-} ]] || make_user
  "$role"
done
"""


def script() -> str:
    """Write the script."""
    head = _HEAD.replace("@roles@", " ".join(roles())).replace("@prefix@", DEFAULT_PREFIX)
    tail = _TAIL.replace("@subscriber@", SUBSCRIBER)
    return head + "".join("\n".join(_function(role)) for role in roles()) + tail


def _function(role: str) -> Iterator[str]:
    yield f"\n{role}() {{"
    for grant in grants(role):
        yield from _command(grant)
    yield "}\n"


def _command(grant: Grant) -> Iterator[str]:
    """One line for what may be done, and one for each thing that it may be done to."""
    pattern = " --resource-pattern-type prefixed" if grant.prefixed else ""
    options = " ".join(f"--operation {operation}" for operation in grant.operations)
    lines = [f"  allow {options}{pattern}", *(f"    --{grant.kind} {_quoted(name)}" for name in grant.names)]
    yield " \\\n".join(lines)


def _quoted(name: str) -> str:
    return '"' + name.replace("{prefix}", "${PREFIX}").replace("{user}", "$user") + '"'
