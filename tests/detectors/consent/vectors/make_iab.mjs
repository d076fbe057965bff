// Writes iab.jsonl: strings encoded by the standards' own software, with the fields they encode.
//
//   npm install @iabgpp/cmpapi@3.2.0 @iabtechlabtcf/core@1.5.21
//   node make_iab.mjs > iab.jsonl
//
// The values come from a seeded generator, so no person stands behind a string and a second run writes the same file.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GppModel } from "@iabgpp/cmpapi";
import { GVL, PurposeRestriction, TCModel, TCString } from "@iabtechlabtcf/core";

const require = createRequire(import.meta.url);

function version(name) {
  let folder = dirname(require.resolve(name));
  for (;;) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (manifest.name === name) return manifest.version;
    } catch {
      // Not the package's own folder yet.
    }
    folder = dirname(folder);
  }
}

let state = 271828;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const choose = (list) => list[below(list.length)];
const flags = (n, used = n) => Array.from({ length: n }, (_, i) => i < used && random() < 0.5);

function vendors(max = 900) {
  const density = choose([0, 0.005, 0.05, 0.5, 0.95]);
  const ids = new Set();
  for (let id = 1; id <= max; id++) if (random() < density) ids.add(id);
  if (random() < 0.2) ids.add(1000 + below(60000));
  return [...ids].sort((a, b) => a - b);
}

const day = () => new Date(Date.UTC(2021 + below(6), below(12), 1 + below(28)));
const US = "usnat usca usva usco usut usct usfl usmt usor ustx usde usia usne usnh usnj ustn usmn usmd usin usky usri".split(" ");
const IDS = { tcfeuv2: 2, tcfcav1: 5, uspv1: 6, ...Object.fromEntries(US.map((name, i) => [name, i + 7])) };
// Set by the section itself, or not part of the string's content.
const OWN = /SegmentType|SegmentIncluded|^Version$|^MspaVersion$/;

function fillUs(model, name) {
  model.setFieldValue(name, "SaleOptOut", 0);
  for (const [field, value] of Object.entries(model.getSection(name))) {
    if (OWN.test(field)) continue;
    if (Array.isArray(value)) model.setFieldValue(name, field, value.map(() => below(3)));
    else if (typeof value === "boolean") model.setFieldValue(name, field, random() < 0.5);
    else if (field.startsWith("Mspa")) model.setFieldValue(name, field, field === "MspaCoveredTransaction" ? 1 + below(2) : below(3));
    else model.setFieldValue(name, field, below(3));
  }
}

function fillUsp(model) {
  for (const field of ["Notice", "OptOutSale", "LspaCovered"]) model.setFieldValue("uspv1", field, choose(["Y", "N", "-"]));
}

function common(model, name) {
  model.setFieldValue(name, "CmpId", 2 + below(4000));
  model.setFieldValue(name, "CmpVersion", below(4096));
  model.setFieldValue(name, "ConsentScreen", below(64));
  model.setFieldValue(name, "ConsentLanguage", choose(["EN", "DE", "FR", "SV"]));
  model.setFieldValue(name, "VendorListVersion", below(4096));
}

function fillEurope(model) {
  const name = "tcfeuv2";
  common(model, name);
  const set = (field, value) => model.setFieldValue(name, field, value);
  set("PolicyVersion", choose([2, 4, 5]));
  set("IsServiceSpecific", true);
  set("PurposeOneTreatment", random() < 0.2);
  set("PublisherCountryCode", choose(["DE", "FR", "AA"]));
  set("SpecialFeatureOptins", flags(12, 2));
  set("PurposeConsents", flags(24, 11));
  set("PurposeLegitimateInterests", flags(24, 11));
  set("VendorConsents", vendors());
  set("VendorLegitimateInterests", vendors());
  set("VendorsDisclosed", vendors());
  set("PublisherConsents", flags(24, 11));
  // Last, because every other change stamps the day of the run.
  set("Created", day());
}

function fillCanada(model) {
  const name = "tcfcav1";
  common(model, name);
  const set = (field, value) => model.setFieldValue(name, field, value);
  set("TcfPolicyVersion", 2);
  set("SpecialFeatureExpressConsent", flags(12, 2));
  set("PurposesExpressConsent", flags(24, 11));
  set("PurposesImpliedConsent", flags(24, 11));
  set("VendorExpressConsent", vendors());
  set("VendorImpliedConsent", vendors());
  set("DisclosedVendors", vendors());
  const date = day();
  set("Created", date);
  set("LastUpdated", date);
}

const rows = [];
function emitGpp(group, names) {
  const model = new GppModel();
  for (const name of names) {
    if (name === "uspv1") fillUsp(model);
    else if (name === "tcfeuv2") fillEurope(model);
    else if (name === "tcfcav1") fillCanada(model);
    else fillUs(model, name);
  }
  const string = model.encode();
  const sections = JSON.parse(JSON.stringify(model.toObject()));
  const ids = names.map((name) => IDS[name]).sort((a, b) => a - b);
  rows.push({ kind: "gpp", group, string, expect: { headerSectionIds: ids, decodedSectionIds: ids, sections } });
}

const list = {
  gvlSpecificationVersion: 3,
  vendorListVersion: 100,
  tcfPolicyVersion: 5,
  lastUpdated: "2026-01-01T00:00:00Z",
  purposes: {}, specialPurposes: {}, features: {}, specialFeatures: {}, stacks: {}, dataCategories: {}, vendors: {},
};
for (let id = 1; id <= 11; id++) list.purposes[id] = { id, name: "p", description: "", illustrations: [] };
for (let id = 1; id <= 65535; id++) {
  if (id > 900 && id % 97) continue;
  list.vendors[id] = {
    id, name: "v", purposes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], legIntPurposes: [2, 7, 8, 9, 10, 11],
    flexiblePurposes: [2, 7, 8, 9, 10, 11], specialPurposes: [], features: [], specialFeatures: [], dataRetention: {}, dataDeclaration: [],
  };
}
const listed = (ids) => ids.filter((id) => list.vendors[id]);
const members = (n) => Array.from({ length: n }, (_, i) => i + 1).filter(() => random() < 0.5);
const sorted = (vector) => [...vector].filter(([, on]) => on).map(([id]) => id).sort((a, b) => a - b);

async function emitTcf() {
  const gvl = new GVL(structuredClone(list));
  await gvl.readyPromise;
  const model = new TCModel(gvl);
  model.cmpId = 2 + below(4000);
  model.cmpVersion = below(4096);
  model.consentScreen = below(64);
  model.isServiceSpecific = true;
  model.useNonStandardTexts = random() < 0.5;
  model.purposeOneTreatment = random() < 0.2;
  model.publisherCountryCode = choose(["DE", "FR", "AA"]);
  model.created = day();
  model.lastUpdated = model.created;
  model.specialFeatureOptins.set(members(2));
  model.purposeConsents.set(members(11));
  model.purposeLegitimateInterests.set(members(11).filter((p) => p === 2 || p > 6));
  model.vendorConsents.set(listed(vendors()));
  model.vendorLegitimateInterests.set(listed(vendors()));
  model.vendorsDisclosed.set(listed(vendors()));
  if (random() < 0.5) {
    model.publisherConsents.set(members(11));
    model.publisherLegitimateInterests.set(members(11));
    model.numCustomPurposes = below(10);
    model.publisherCustomConsents.set(members(model.numCustomPurposes));
  }
  if (random() < 0.4) {
    for (let i = 0; i <= below(3); i++) {
      const restriction = new PurposeRestriction(choose([2, 7, 8, 9]), choose([0, 1]));
      for (const id of listed(vendors(300)).slice(0, 50)) model.publisherRestrictions.add(id, restriction);
    }
  }
  const string = TCString.encode(model);
  const read = TCString.decode(string);
  const restrictions = read.publisherRestrictions.getRestrictions().map((each) => ({
    purposeId: each.purposeId,
    restrictionType: each.restrictionType,
    vendorIds: [...read.publisherRestrictions.getVendors(each)].sort((a, b) => a - b),
  }));
  restrictions.sort((a, b) => a.purposeId - b.purposeId || a.restrictionType - b.restrictionType);
  const kinds = string.split(".").map((text, i) => (i ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(text[0]) >> 3 : 0));
  rows.push({
    kind: "tcf", group: "tcf_v2", string,
    expect: {
      version: 2, created: read.created, lastUpdated: read.lastUpdated, cmpId: model.cmpId, cmpVersion: model.cmpVersion,
      consentScreen: model.consentScreen, consentLanguage: read.consentLanguage, vendorListVersion: read.vendorListVersion,
      policyVersion: read.policyVersion, isServiceSpecific: true, useNonStandardTexts: model.useNonStandardTexts,
      purposeOneTreatment: model.purposeOneTreatment, publisherCountryCode: model.publisherCountryCode,
      specialFeatureOptins: sorted(model.specialFeatureOptins), purposeConsents: sorted(model.purposeConsents),
      purposeLegitimateInterests: sorted(model.purposeLegitimateInterests),
      vendorConsents: sorted(model.vendorConsents), vendorLegitimateInterests: sorted(model.vendorLegitimateInterests),
      publisherRestrictions: restrictions, segments: kinds,
      vendorsDisclosed: kinds.includes(1) ? sorted(model.vendorsDisclosed) : null,
      vendorsAllowed: kinds.includes(2) ? sorted(read.vendorsAllowed) : null,
      publisherTC: kinds.includes(3)
        ? {
            publisherConsents: sorted(model.publisherConsents),
            publisherLegitimateInterests: sorted(model.publisherLegitimateInterests),
            numCustomPurposes: read.numCustomPurposes,
            publisherCustomConsents: sorted(model.publisherCustomConsents),
            publisherCustomLegitimateInterests: sorted(model.publisherCustomLegitimateInterests),
          }
        : null,
    },
  });
}

for (const name of US) for (let i = 0; i < 6; i++) emitGpp("us_single", [name]);
for (let i = 0; i < 12; i++) emitGpp("tcf_eu_in_gpp", ["tcfeuv2"]);
for (let i = 0; i < 12; i++) emitGpp("tcf_ca", ["tcfcav1"]);
for (let i = 0; i < 30; i++) {
  const names = new Set();
  while (names.size < 2 + (i % 4)) names.add(choose([...US, "uspv1"]));
  emitGpp("gpp_multi", [...names]);
}
for (let i = 0; i < 40; i++) await emitTcf();

console.log(JSON.stringify({ software: ["@iabgpp/cmpapi", "@iabtechlabtcf/core"].map((name) => `${name}@${version(name)}`) }));
rows.forEach((row, index) => console.log(JSON.stringify({ id: `iab-${String(index + 1).padStart(4, "0")}`, ...row })));
