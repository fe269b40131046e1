import { type Container, type ProtocolType, type RevisionSpec, servingIndexOrFirst } from "@rouse/shared";

const USER_PORT_DEFAULT = 8080;

/** The container of a revision that answers requests. C-39. */
export function servingContainer(spec: RevisionSpec): Container | undefined {
  return spec.containers[servingIndexOrFirst(spec.containers)];
}

/** The port the user's program listens on, as far as the contract goes. C-39. */
export function userPort(spec: RevisionSpec): number {
  return servingContainer(spec)?.ports?.[0]?.containerPort || USER_PORT_DEFAULT; // 0 counts as absent
}

/** What is spoken to the user's program: its port's name says so. C-39, A-9. */
export function protocolOf(spec: RevisionSpec): ProtocolType {
  return servingContainer(spec)?.ports?.[0]?.name === "h2c" ? "h2c" : "http1";
}
