import test from "ava";
import { Laptop, toBox } from "../integration/laptop/laptop.ts";
import { AuthorityBed } from "../support/authority-bed.ts";
import { pressSite } from "../support/sites.ts";

test("the words at the laptop are those on the box; approved, it works, and denied, it is told why", async (t) => {
  const { appliance } = await AuthorityBed.start(t, { site: pressSite(1) });
  const box = await toBox(appliance);
  const [alice, stranger] = [new Laptop(t), new Laptop(t)];
  const [enrolling, refused] = [
    alice.niac("enroll", ...box),
    stranger.niac("enroll", ...box, "--device", "unknown-1"),
  ];
  const words = await Promise.all([alice, stranger].map(wordsOf));
  const { out } = await appliance.niac("enrolment", "requests");
  const [id, other] = words.map(
    (each) =>
      out
        .split("\n")
        .find((line) => line.includes(each))
        ?.split(/ +/)[0] ?? "",
  );
  const subject = ["--user", "alice", "--device", "laptop-7", "--tier", "managed", "--group", "maintenance"];
  t.like(await appliance.niac("enrolment", "approve", id ?? "", ...subject), { code: 0, err: "" });
  t.like(await appliance.niac("enrolment", "deny", other ?? "", "--reason", "nobody knows it"), { code: 0 });
  await enrolling;
  await t.throwsAsync(refused, { message: /nobody knows it/ });
  await alice.niac("machines");
  t.true(
    alice.out.some((line) => line.startsWith("press-4 ")),
    alice.out.join("\n"),
  );
  t.deepEqual(stranger.files(), {});
});

async function wordsOf(laptop: Laptop): Promise<string> {
  return (await laptop.line(/words of this laptop's key/)).split(" ").at(-1) ?? "";
}
