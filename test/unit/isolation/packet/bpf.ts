/**
 * Classic BPF as the kernel runs it, as far as the filters use it: a load beyond the frame's end ends the program with 0. Kernel
 * documentation, networking/filter. Throws where the kernel would refuse the program.
 */
export function runBpf(program: Buffer, frame: Uint8Array, vlanTag = 0): number {
  const count = program.length / 8;
  if (!Number.isInteger(count) || count === 0 || count > 4_096)
    throw new Error(`a program of ${count} instructions`);
  const bytes = Buffer.from(frame);
  let accumulator = 0;
  for (let at = 0; ; at++) {
    if (at >= count) throw new Error("the program runs out of its end");
    const code = program.readUInt16LE(at * 8);
    const [ifTrue, ifFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const operand = program.readUInt32LE(at * 8 + 4);
    const size = { 0x20: 4, 0x28: 2, 0x30: 1 }[code];
    if (size !== undefined) {
      if (operand === 0xffff_f02c) accumulator = vlanTag;
      else if (operand + size > bytes.length) return 0;
      else accumulator = bytes.readUIntBE(operand, size);
    } else if (code === 0x80) accumulator = bytes.length;
    else if (code === 0x54) accumulator = (accumulator & operand) >>> 0;
    else if (code === 0x05) at += operand;
    else if (code === 0x15) at += accumulator === operand ? ifTrue : ifFalse;
    else if (code === 0x35) at += accumulator >= operand ? ifTrue : ifFalse;
    else if (code === 0x45) at += (accumulator & operand) !== 0 ? ifTrue : ifFalse;
    else if (code === 0x06) return operand;
    else throw new Error(`instruction 0x${code.toString(16)}`);
  }
}
