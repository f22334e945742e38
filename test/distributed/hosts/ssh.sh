#!/bin/sh
# Stands in for ssh: HOST is an address whose last number is that of a network namespace, which gets a host name of its own.
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
name=$GRADGATE_TEST_HOSTS-${host##*.}
exec ip netns exec "$name" unshare --uts sh -c "hostname $name; $*"
