import { spawnSync } from "node:child_process";

/**
 * Absolute paths of what the dynamic linker loads for a program, the linker itself among them.
 * @throws if it is not linked dynamically, or a library is missing
 */
export function sharedLibraries(program: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync("ldd", [program], { encoding: "utf8" });
  if (status !== 0) throw new Error(`ldd ${program}: ${stderr || stdout}`);
  return librariesOf(stdout);
}

/** Reads `libm.so.6 => /lib/libm.so.6 (0x…)` and `/lib64/ld-linux-x86-64.so.2 (0x…)`; the kernel's own has no path. */
export function librariesOf(output: string): readonly string[] {
  return output.split("\n").flatMap((line) => {
    if (line.includes("not found")) throw new Error(`missing: ${line.trim()}`);
    const path = /(\/\S+) \(0x/.exec(line)?.[1];
    return path === undefined ? [] : [path];
  });
}
