/** Where the command writes: answers to `out`, what went wrong to `err`. A line ends with its newline. */
export interface Output {
  out(line: string): void;
  err(line: string): void;
}

/** One file of text per line written. */
export function processOutput(streams: {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}): Output {
  return {
    out: (line) => void streams.stdout.write(`${line}\n`),
    err: (line) => void streams.stderr.write(`${line}\n`),
  };
}
