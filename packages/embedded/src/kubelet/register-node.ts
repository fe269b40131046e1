import { availableParallelism, release, totalmem } from "node:os";
import { type Clock, isKubeError, type KubeClient, type KubeObject, NodeKind, rfc3339 } from "@rouse/shared";
import { serverVersion } from "../api-server/wire/server-version.ts";
import { NODE_NAME } from "./node-name.ts";

/** As many as a reserve of addresses and ports has room for on one machine; nothing counts them. */
const PODS = "1000";

/** Says that there is this one node: what pods name as theirs, clients find. P-69 */
export async function registerNode(client: KubeClient, clock: Pick<Clock, "wall">): Promise<void> {
  const metadata = {
    name: NODE_NAME,
    labels: {
      "kubernetes.io/hostname": NODE_NAME,
      "kubernetes.io/os": process.platform,
      "kubernetes.io/arch": process.arch === "x64" ? "amd64" : process.arch,
    },
  };
  const node: KubeObject = { apiVersion: "v1", kind: "Node", metadata };
  try {
    await client.create(NodeKind, node);
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
  await client.patch(
    NodeKind,
    { namespace: "", name: NODE_NAME },
    { kind: "merge", body: { status: statusAt(rfc3339(clock.wall())) } },
    "status",
  );
}

function statusAt(now: string): object {
  const resources = {
    cpu: String(availableParallelism()),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: PODS,
  };
  return {
    capacity: resources,
    allocatable: resources,
    addresses: [
      { type: "InternalIP", address: "127.0.0.1" },
      { type: "Hostname", address: NODE_NAME },
    ],
    conditions: [
      {
        type: "Ready",
        status: "True",
        reason: "KubeletReady",
        message: "pods are processes of this machine",
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      },
    ],
    nodeInfo: {
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      operatingSystem: process.platform,
      kernelVersion: release(),
      osImage: "",
      kubeletVersion: serverVersion.gitVersion,
      containerRuntimeVersion: "rouse://processes",
      kubeProxyVersion: "",
      bootID: "",
      machineID: "",
      systemUUID: "",
    },
  };
}
