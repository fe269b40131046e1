/** A platform to be killed: `node platform.ts <data directory>` runs one pod and prints its processes' numbers. */
import { PodKind } from "@rouse/shared";
import { ECHO, Home, isReady, scriptPod } from "./home.ts";

/** A program with a child in its group, and one that has left it. */
const FAMILY = `
  const { spawn } = require("node:child_process");
  const idle = ["-e", "setInterval(() => {}, 1000)"];
  const child = spawn(process.execPath, idle, { stdio: "ignore" });
  const stray = spawn(process.execPath, idle, { stdio: "ignore", detached: true });
  console.log("pids " + [process.pid, child.pid, stray.pid].join(" "));
  ${ECHO}
`;

const home = await Home.start({
  dataDirectory: process.argv[2] ?? "",
  hooks: { onOutput: (_pod, _stream, line) => console.log(line) },
});
await home.client.create(PodKind, scriptPod("one", FAMILY));
await home.seen(PodKind, isReady);
console.log("ready");
