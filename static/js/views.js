// All views of the page. Each gets its place in the document and what it may call; none knows another.

import { createAside } from "./views/aside.js";
import { createAsk } from "./views/ask.js";
import { createColour } from "./views/colour.js";
import { createCompare } from "./views/compare.js";
import { createCompute } from "./views/compute.js";
import { createDifference } from "./views/difference.js";
import { createFiles } from "./views/files.js";
import { createFocus } from "./views/focus.js";
import { createFooter } from "./views/footer.js";
import { createGrid } from "./views/grid.js";
import { createHeader } from "./views/header.js";
import { createHeatmap } from "./views/heatmap.js";
import { createHints } from "./views/hints.js";
import { createImages } from "./views/images.js";
import { createImportance } from "./views/importance.js";
import { createKinds } from "./views/kinds.js";
import { createLines } from "./views/lines.js";
import { createLink } from "./views/link.js";
import { createLooking } from "./views/looking.js";
import { createMarks } from "./views/marks.js";
import { createModels } from "./views/models.js";
import { createNotices, problemSentence } from "./views/notices.js";
import { createNumbersLine } from "./views/numbers.js";
import { createPicture } from "./views/picture.js";
import { createProfile } from "./views/profile.js";
import { createProgress } from "./views/progress.js";
import { createRoles } from "./views/roles.js";
import { createSaid } from "./views/said.js";
import { createStale } from "./views/stale.js";
import { createShare } from "./views/share.js";
import { createShareFiles } from "./views/share/files.js";
import { createShareLink } from "./views/share/link.js";
import { createSharePicture } from "./views/share/picture.js";
import { createSteps } from "./views/steps.js";
import { createStrip } from "./views/strip.js";
import { createStream } from "./views/stream.js";
import { createSwitch } from "./views/switch.js";
import { createTable } from "./views/table.js";
import { createTools } from "./views/tools.js";
import { createAdding } from "./views/tray/adding.js";
import { createWritingCard } from "./views/writing.js";

/** update(scene) draws a scene on every view, live(scene) on those that follow a model that writes; theme() is the theme in force. */
export function createViews(doc, { i18n, preferences, plotly, examples, urls, peakOf, hrefOf, linkOf, sharing, lesson, files, drafts, themeOf }, act) {
  const at = (id) => doc.getElementById(id);
  const sentenceOf = (problem) => problemSentence(i18n, problem);
  const header = createHeader(at("header"), { i18n, preferences, onTheme: act.theme, onLanguage: (event) => (ask.keep(), act.language(event)), themeOf });
  const ask = createAsk(at("ask"), { i18n, examples, hrefOf, onText: act.text, onExample: act.example, onDraft: act.draft, drafts });
  const panels = {
    picture: createPicture(at("panel-picture"), { i18n, pictureUrl: urls.picture, onQuery: act.query, onCell: act.cell }),
    heatmap: createHeatmap(at("panel-heatmap"), { i18n, plotly, onCell: act.cell, onBlock: act.block, onWindow: act.window }),
    lines: createLines(at("panel-lines"), { i18n, onCell: act.cell }),
    table: createTable(at("panel-table"), { i18n, onCell: act.cell }),
    compute: createCompute(at("panel-compute"), { i18n, sentenceOf, onStep: act.computeStep, onKey: act.computeKey, onWhatIf: () => openWhatIf(at("tools"), act.tool), onCancel: act.cancel, onAgain: act.again }),
    difference: createDifference(at("panel-difference"), { i18n, plotly, sentenceOf, onCell: act.cell, onWindow: act.window }),
  };
  // A tool has a panel of its name in the page and stands in the list of tools from then on.
  const tools = {
    link: createLink(at("link"), { i18n, onChoice: act.link, onRival: act.rival, onSwap: act.swap, onHead: act.head }),
    profile: createProfile(at("profile"), { i18n, sentenceOf, onSort: act.sort, onHead: act.head }),
    compare: createCompare(at("compare"), { i18n, sentenceOf, onCompare: act.compare, onWhatIf: act.whatIf }),
    switch: createSwitch(at("switch"), { i18n, sentenceOf, onAim: act.aim, onHow: act.how, onOff: act.off, onScan: act.scan, onHead: act.hint, onCancel: act.cancel, onAgain: act.again }),
    importance: createImportance(at("importance"), { i18n, sentenceOf, onAim: act.aim, onCancel: act.cancel, onAgain: act.again }),
  };
  const strip = createStrip(at("strip"), { i18n, onQuery: act.query, onCell: act.cell });
  const stream = createStream(at("strip"), { i18n });
  const said = createSaid(at("said"), { i18n, onPosition: act.position });
  const writing = createWritingCard(at("writing"), { i18n, onWrite: act.write, onStop: act.stop, onChoice: act.sampling, onChat: act.chat, onClear: act.clear });
  const steps = createSteps(at("writing"), { i18n, onStep: act.step });
  const stale = createStale(at("grid"), at("focus"), { i18n });
  const share = createShare(at("share"), {
    i18n, travelling: sharing.travelling, openers: [...doc.querySelectorAll("[data-share]")],
    panels: (onLook) => ({
      picture: createSharePicture(at("share-picture"), { i18n, server: sharing, sentenceOf, onLook }),
      link: createShareLink(at("share-link"), { i18n, server: sharing }),
      files: createShareFiles(at("share-files"), { i18n, server: sharing, sentenceOf, onLook }),
    }),
  });
  const views = [
    header,
    createModels(at("models"), { i18n, onModel: act.model }),
    ask,
    createImages(at("images"), { i18n, sampleUrl: urls.image, onImage: act.image, onFile: act.file }),
    createNotices(at("notices"), { i18n, examples, onModel: act.model, onRetry: act.retry, onBeginning: act.beginning, onReplace: act.replace, onReader: act.reader, onText: act.text, onNewest: act.newest, onOpen: () => doc.querySelector("[data-open]").click() }),
    createProgress(at("progress"), { i18n, sentenceOf, onFetch: act.fetch, onModel: act.model }),
    createGrid(at("grid"), { i18n, peakOf, onHead: act.head }),
    createMarks(at("marks"), { i18n, onMark: act.mark }),
    createTools(at("tools"), { i18n, tools, onTool: act.tool }),
    createKinds(at("kinds"), { i18n, onKind: act.kind }),
    writing,
    steps,
    strip,
    stream,
    createLooking(at("controls"), { i18n, onSpecial: act.special, onWords: act.words, onSegments: act.segments }),
    createColour(at("colour"), { i18n, onMeasure: act.measure, onScale: act.scale, onRange: act.range }),
    createFocus(at("focus"), { i18n, panels, onView: act.view }),
    createRoles(at("roles"), { i18n }),
    createNumbersLine(at("numbers"), { i18n }),
    createAside(at("focus"), { i18n, onOff: act.off, onAllOn: act.allOn, onAsItIs: act.asItIs }),
    stale,
    said,
    createHints(at("hints"), { i18n, onHint: act.hint }),
    createFiles(doc.querySelector("[data-open]"), { i18n, may: files, onFile: act.open }),
    createFooter(at("footer"), { i18n, linkOf }),
    share,
    createAdding(at("focus"), { i18n, ...lesson, searchOf: sharing.searchOf }),
  ];
  return {
    theme: header.theme,
    update(scene) {
      doc.body.classList.toggle("bare", scene.bare);
      for (const view of views) view.update(scene);
    },
    // While a model writes, only these change.
    live(scene) {
      for (const view of [writing, steps, strip, stream, stale, said]) view.update(scene);
    },
    // What stands in the box may be another text than the one on show.
    typed: (scene) => writing.update(scene),
  };
}

// The tool where a model of ours is made to work otherwise: who asked for it is taken there.
function openWhatIf(tools, choose) {
  choose("compare");
  tools.querySelector('[name="way"][value="what-if"]')?.click();
  tools.querySelector("[data-close]").focus({ preventScroll: true });
  tools.scrollIntoView({ block: "start" });
}
