import { connect } from "node:net";
import { type AttemptOptions, type AttemptResult, ready } from "./attempt-result.ts";

/** Ready if a connection opens. It is closed at once, with nothing sent. */
export function attemptTcp(
  target: { readonly ip: string; readonly port: number },
  { clock, timeoutMs, signal }: AttemptOptions,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: target.ip, port: target.port });
    const finish = (result: AttemptResult): void => {
      timer[Symbol.dispose]();
      signal?.removeEventListener("abort", abandon);
      socket.destroy();
      resolve(result);
    };
    const abandon = (): void => finish({ kind: "not-ready", because: "abandoned" });
    const timer = clock.after(timeoutMs, () => {
      finish({ kind: "not-ready", because: `no connection within ${timeoutMs} ms` });
    });
    socket.once("connect", () => finish(ready));
    socket.on("error", (error) => finish({ kind: "not-ready", because: error.message }));
    signal?.addEventListener("abort", abandon, { once: true });
    if (signal?.aborted === true) abandon();
  });
}
