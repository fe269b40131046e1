import type { LogRevision } from "@rouse/shared";
import type { ActivatorContext } from "../accept/context.ts";

/** What the request log says of a request's revision. Pods are many, so which one it was is left empty. */
export function loggedRevision({ revision }: ActivatorContext): LogRevision {
  const { name = "", namespace = "", service = "", configuration = "" } = revision?.target ?? {};
  return { name, namespace, service, configuration, podName: "", podIp: "" };
}
