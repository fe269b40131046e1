import { readFileSync } from "node:fs";
import type { Clock } from "../../clock/clock.ts";
import type { ApiServerAddress } from "./api-server.ts";
import { inClusterServer, kubeconfigServer } from "./credentials.ts";
import { parseKubeconfig } from "./kubeconfig-text.ts";

/**
 * Where a program of a cluster finds the API: the file `KUBECONFIG` names, else the pod's own account. Of several files
 * in `KUBECONFIG` the first counts.
 * @throws Error naming what is missing or wrong
 */
export function findServer(
  deps: { readonly clock: Pick<Clock, "now"> },
  environment: Readonly<Record<string, string | undefined>>,
): ApiServerAddress {
  const { KUBECONFIG = "", KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  const [path = ""] = KUBECONFIG.split(":");
  if (path === "") return inClusterServer(deps, { host, port });
  return kubeconfigServer(deps, parseKubeconfig(readFileSync(path, "utf8")), path);
}
