/**
 * Who may do what to which machine or destination, when and from where: (snapshot, identity, operation, now) -> permit or denial.
 * Pure. Default deny, a forbid beats every grant, the order of rules does not matter. Permits are made here and nowhere
 * else, so their classes go out as types only.
 *
 * A snapshot is compiled once (compilePolicy); a laptop's connection is judged once (openSession), again when the
 * snapshot, the panel or the time changes it (judgeSession, nextChange), and each operation on it by decide, a search in
 * sorted address intervals.
 */
export { compilePolicy } from "./compile.ts";
export type { Policy } from "./compile.ts";
export { decide } from "./decide.ts";
export { lockOn, Locks } from "./lock.ts";
export type { Lock, LockSubject } from "./lock.ts";
export type { Panel } from "./panel.ts";
export type { OperationPermit, SessionPermit } from "./permit.ts";
export { reportedDevice, standingOf, unknownStanding } from "./posture.ts";
export type { PostureReport, ReportedDevice, Standing } from "./posture.ts";
export { RateBook } from "./rate.ts";
export { judgeSession, nextChange, openSession } from "./session.ts";
export type { SessionRequest } from "./state.ts";
export { isDenial, isPermit, needsCurrent } from "./verdict.ts";
export type { DecideContext, Denial, NeedsCurrent, Stage, Verdict } from "./verdict.ts";
