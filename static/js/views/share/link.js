// "Link and embed": the address that restores what is on show, and the pieces of code that put it into another page.

import { copyText } from "../../lib/clipboard.js";
import { setText } from "../../lib/dom.js";
import { embedSearch, fileSearch, frameCode, isLocal, markdownCode, moodleCode, obstacleOf, pictureSearch, SIZES } from "../../lib/sharing.js";
import { createTelling } from "../../lib/telling.js";

/** server: see lib/shared.js. */
export function createShareLink(root, { i18n, server }) {
  const doc = root.ownerDocument;
  const at = (name) => root.querySelector(`[data-${name}]`);
  const [refused, body, cut, link, packed, code, help, attempt, viewName] = ["refused", "body", "cut", "link", "packed", "code", "help", "try", "view-name"].map(at);
  const form = at("embed");
  const tell = createTelling(at("told"));
  let subject = null;
  let turn = 0;

  const chosen = (name) => [...form.querySelectorAll(`[name="${name}"]:checked`)].map(({ value }) => value);
  form.addEventListener("input", () => draw());
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const field of [link, code]) field.addEventListener("focus", () => field.select());
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const done = await copyText(doc, button.dataset.copy === "link" ? link.value : code.value);
      tell.say(done ? i18n.t("share.copy.done") : { not: i18n.t("share.copy.failed") });
    });
  }
  at("local").hidden = !isLocal(new URL(server.base).hostname);

  async function addresses() {
    const { state, view, what, look } = subject;
    const searches = [
      server.searchOf(state),
      embedSearch(state, { view, show: chosen("show"), controls: chosen("controls") }, server.searchOf),
      pictureSearch(state, what, look, server.searchOf),
    ];
    return { searches, packed: await Promise.all(searches.map(server.pack)) };
  }

  async function draw() {
    const mine = ++turn;
    const { state, isCut, samples, view, look } = subject;
    setText(viewName, i18n.t(`share.show.${view}`));
    const found = await addresses();
    if (mine !== turn) return;
    const obstacle = obstacleOf(state, samples, found.packed.includes(null) ? null : "");
    refused.hidden = !obstacle;
    body.hidden = Boolean(obstacle);
    if (obstacle) {
      setText(refused, i18n.t(`share.refused.${obstacle}`));
      return;
    }
    cut.hidden = !isCut;
    const [page, embed, picture] = found.packed;
    link.value = `${server.base}/${page}`;
    packed.hidden = page === found.searches[0];
    const kind = form.elements.code.value;
    const given = {
      link: link.value, embed: `${server.base}/embed${embed}`, title: server.title(subject), size: SIZES[form.elements.size.value],
      picture: `${server.base}/figure.png${fileSearch(picture, { format: "png", x: look.x })}`,
    };
    attempt.href = `/embed${embed}`;
    setText(help, i18n.t(`share.code.help.${kind}`));
    const written = kind === "markdown" ? markdownCode({ ...given, alt: await altText(given.title) }) : writtenAs(kind, given);
    if (mine === turn) code.value = written;
  }

  // A picture whose description is not to be had is named at least.
  async function altText(title) {
    try {
      return (await server.words(subject)) || title;
    } catch {
      return title;
    }
  }

  return {
    update(given) {
      subject = given;
      draw();
    },
    leave: () => tell.say(""),
  };
}

const writtenAs = (kind, given) => (kind === "html" ? frameCode(given) : kind === "moodle" ? moodleCode(given) : given.embed);
