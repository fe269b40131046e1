import { headers, probeAgents, type RequestHead } from "@rouse/shared";

/** Whether a request is the platform's own question: left out of metrics, spans and, unless asked for, the log. Q-17 */
export function isProbe(request: RequestHead): boolean {
  return (
    (request.get("User-Agent")?.startsWith(probeAgents.kubelet) ?? false) ||
    (request.get(headers.kubeletProbe) ?? "") !== "" ||
    (request.get(headers.networkProbe) ?? "") !== ""
  );
}
