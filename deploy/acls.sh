#!/usr/bin/env bash
# Gives every role of Dateline its user and its rights on a Kafka cluster. May be run again at any time.
# Made by `python -m pipeline.security --write` from schemas/topics.py; edits here are lost.
#
#   deploy/acls.sh                        every role, for the user dateline-ROLE
#   deploy/acls.sh subscriber=newsroom    one role, for a user of this name; its groups begin with "newsroom."
#   KAFKA_ACLS=echo deploy/acls.sh        show what would be done
#
# ROLES: ingest deduplicate cluster chronology operator subscriber
#
# BOOTSTRAP       host:port of the cluster; localhost:9092
# COMMAND_CONFIG  properties file with the login of somebody who may give rights; none
# PREFIX          of the topics; dateline.
# SECRETS         folder with the passwords, in a file named like the user; a missing one is made.
#                 Without it no users are made: they are there, or are made elsewhere.
# KAFKA_ACLS      Kafka's own command; kafka-acls.sh
# KAFKA_CONFIGS   another one; kafka-configs.sh
set -euo pipefail

BOOTSTRAP=${BOOTSTRAP:-localhost:9092}
PREFIX=${PREFIX:-dateline.}
ROLES="ingest deduplicate cluster chronology operator subscriber"

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
  kafka "${KAFKA_CONFIGS:-kafka-configs.sh}" --alter --entity-type users --entity-name "$user" \
    --add-config-file <(echo "SCRAM-SHA-512=iterations=8192,password=$password")
}

ingest() {
  allow --operation Read \
    --topic "${PREFIX}deadletters.v1" \
    --topic "${PREFIX}checkpoints.v1" \
    --topic "${PREFIX}seen.v1" \
    --topic "${PREFIX}control.v1"
  allow --operation Write \
    --topic "${PREFIX}raw.v1" \
    --topic "${PREFIX}items.v1" \
    --topic "${PREFIX}gaps.v1" \
    --topic "${PREFIX}deadletters.v1" \
    --topic "${PREFIX}checkpoints.v1" \
    --topic "${PREFIX}seen.v1" \
    --topic "${PREFIX}control.v1"
  allow --operation Read --resource-pattern-type prefixed \
    --group "${PREFIX}ingest"
  allow --operation Write --resource-pattern-type prefixed \
    --transactional-id "${PREFIX}ingest."
}

deduplicate() {
  allow --operation Read \
    --topic "${PREFIX}items.v1" \
    --topic "${PREFIX}deduplicated.v1" \
    --topic "${PREFIX}originals.v1" \
    --topic "${PREFIX}learned.v1" \
    --topic "${PREFIX}deadletters.v1" \
    --topic "${PREFIX}control.v1"
  allow --operation Write \
    --topic "${PREFIX}deduplicated.v1" \
    --topic "${PREFIX}originals.v1" \
    --topic "${PREFIX}learned.v1" \
    --topic "${PREFIX}deadletters.v1"
  allow --operation Read --resource-pattern-type prefixed \
    --group "${PREFIX}deduplicate"
  allow --operation Write --resource-pattern-type prefixed \
    --transactional-id "${PREFIX}deduplicate."
}

cluster() {
  allow --operation Read \
    --topic "${PREFIX}deduplicated.v1" \
    --topic "${PREFIX}learned.v1" \
    --topic "${PREFIX}stories.v1" \
    --topic "${PREFIX}story-changes.v1" \
    --topic "${PREFIX}deadletters.v1" \
    --topic "${PREFIX}control.v1"
  allow --operation Write \
    --topic "${PREFIX}learned.v1" \
    --topic "${PREFIX}stories.v1" \
    --topic "${PREFIX}story-changes.v1" \
    --topic "${PREFIX}deadletters.v1"
  allow --operation Read --resource-pattern-type prefixed \
    --group "${PREFIX}cluster"
  allow --operation Write --resource-pattern-type prefixed \
    --transactional-id "${PREFIX}cluster."
}

chronology() {
  allow --operation Read \
    --topic "${PREFIX}learned.v1" \
    --topic "${PREFIX}story-changes.v1" \
    --topic "${PREFIX}flags.v1" \
    --topic "${PREFIX}baselines.v1" \
    --topic "${PREFIX}deadletters.v1" \
    --topic "${PREFIX}control.v1"
  allow --operation Write \
    --topic "${PREFIX}learned.v1" \
    --topic "${PREFIX}flags.v1" \
    --topic "${PREFIX}baselines.v1" \
    --topic "${PREFIX}deadletters.v1"
  allow --operation Read --resource-pattern-type prefixed \
    --group "${PREFIX}chronology"
  allow --operation Write --resource-pattern-type prefixed \
    --transactional-id "${PREFIX}chronology."
}

operator() {
  allow --operation Read \
    --topic "${PREFIX}raw.v1" \
    --topic "${PREFIX}items.v1" \
    --topic "${PREFIX}deduplicated.v1" \
    --topic "${PREFIX}originals.v1" \
    --topic "${PREFIX}learned.v1" \
    --topic "${PREFIX}stories.v1" \
    --topic "${PREFIX}story-changes.v1" \
    --topic "${PREFIX}flags.v1" \
    --topic "${PREFIX}baselines.v1" \
    --topic "${PREFIX}gaps.v1" \
    --topic "${PREFIX}deadletters.v1" \
    --topic "${PREFIX}checkpoints.v1" \
    --topic "${PREFIX}seen.v1" \
    --topic "${PREFIX}control.v1"
  allow --operation Write \
    --topic "${PREFIX}items.v1" \
    --topic "${PREFIX}deduplicated.v1" \
    --topic "${PREFIX}story-changes.v1" \
    --topic "${PREFIX}deadletters.v1" \
    --topic "${PREFIX}control.v1"
  allow --operation Create --operation DescribeConfigs \
    --topic "${PREFIX}raw.v1" \
    --topic "${PREFIX}items.v1" \
    --topic "${PREFIX}deduplicated.v1" \
    --topic "${PREFIX}originals.v1" \
    --topic "${PREFIX}learned.v1" \
    --topic "${PREFIX}stories.v1" \
    --topic "${PREFIX}story-changes.v1" \
    --topic "${PREFIX}flags.v1" \
    --topic "${PREFIX}baselines.v1" \
    --topic "${PREFIX}gaps.v1" \
    --topic "${PREFIX}deadletters.v1" \
    --topic "${PREFIX}checkpoints.v1" \
    --topic "${PREFIX}seen.v1" \
    --topic "${PREFIX}control.v1"
  allow --operation Describe --resource-pattern-type prefixed \
    --group "${PREFIX}"
  allow --operation Write \
    --transactional-id "${PREFIX}control" \
    --transactional-id "${PREFIX}dlq" \
    --transactional-id "${PREFIX}reprocess"
}

subscriber() {
  allow --operation Read \
    --topic "${PREFIX}raw.v1" \
    --topic "${PREFIX}items.v1" \
    --topic "${PREFIX}deduplicated.v1" \
    --topic "${PREFIX}stories.v1" \
    --topic "${PREFIX}story-changes.v1" \
    --topic "${PREFIX}flags.v1" \
    --topic "${PREFIX}baselines.v1" \
    --topic "${PREFIX}gaps.v1" \
    --topic "${PREFIX}deadletters.v1"
  allow --operation Read --resource-pattern-type prefixed \
    --group "$user."
}

[[ $# -gt 0 ]] || set -- $ROLES
for wanted in "$@"; do
  role=${wanted%%=*}
  user=dateline-$role
  [[ $wanted != *=* ]] || user=${wanted#*=}
  [[ " $ROLES " == *" $role "* ]] || fail "$role is none of: $ROLES"
  [[ $user =~ ^[A-Za-z0-9._-]+$ ]] || fail "a user needs a name of letters, digits and . _ -, not '$user'"
  [[ $role != subscriber || $PREFIX != "$user."* ]] || fail "the groups of $user would be ours"
  [[ -z ${SECRETS:-} ]] || make_user
  "$role"
done
