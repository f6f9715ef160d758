"""parallel-ssh over libssh2, its fastest client: one command on many hosts. `fan_out.py USER KEY PORT POOL ADDRESS...`"""

import sys

from pssh.clients import ParallelSSHClient  # type: ignore[import-not-found]

user, key, port, pool, *hosts = sys.argv[1:]
client = ParallelSSHClient(hosts, user=user, pkey=key, port=int(port), pool_size=int(pool), num_retries=1)
codes = []
for output in client.run_command("true", stop_on_errors=True):
    for _ in output.stdout:
        pass
    codes.append(output.exit_code)
sys.exit(0 if codes == [0] * len(hosts) else 1)
