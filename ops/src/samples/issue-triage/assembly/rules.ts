import { json } from "./json";

/** A word in the title says more than one in the text. */
const TITLE_WEIGHT = 2;

const UNDECIDED = "untriaged";

class Rule {
  constructor(
    public label: string,
    public keywords: string[]
  ) {}
}

/** Which words speak for which label. */
export class Rules {
  /** Those above win when others are as likely. */
  private rules: Rule[] = [
    new Rule("security", ["security", "vulnerab", "cve-", "exploit", "xss", "injection"]),
    new Rule("bug", ["bug", "error", "crash", "exception", "broken", "fails", "regression"]),
    new Rule("documentation", ["readme", "documentation", "docs", "typo", "spelling"]),
    new Rule("question", ["question", "how do i", "how to", "is it possible", "?"]),
    new Rule("feature", ["feature", "support for", "would be nice", "proposal", "please add"]),
  ];

  /** With the words of a configuration, `{"label": ["word", …], …}`; null when there is none. */
  static configured(overrides: string | null): Rules {
    const all = new Rules();
    if (overrides !== null) {
      const labels = json.names(overrides);
      for (let i = 0; i < labels.length; i++) {
        const words = json.member(overrides, labels[i]);
        if (words !== null) all.replace(labels[i], words);
      }
    }
    return all;
  }

  private replace(label: string, words: string): void {
    const keywords: string[] = [];
    const items = json.items(words);
    for (let i = 0; i < items.length; i++) {
      const word = json.text(items[i]);
      if (word !== null) keywords.push(word.toLowerCase());
    }
    for (let i = 0; i < this.rules.length; i++) {
      if (this.rules[i].label == label) {
        this.rules[i].keywords = keywords;
        return;
      }
    }
    this.rules.push(new Rule(label, keywords));
  }

  /** What people have said themselves holds; else the words decide. */
  decide(title: string | null, body: string | null, labels: string[]): string {
    for (let i = 0; i < this.rules.length; i++) {
      if (labels.includes(this.rules[i].label)) return this.rules[i].label;
    }
    let best = 0;
    let label = UNDECIDED;
    for (let i = 0; i < this.rules.length; i++) {
      const keywords = this.rules[i].keywords;
      const score = TITLE_WEIGHT * hits(title, keywords) + hits(body, keywords);
      if (score > best) {
        best = score;
        label = this.rules[i].label;
      }
    }
    return label;
  }
}

function hits(text: string | null, keywords: string[]): i32 {
  if (text === null) return 0;
  const lower = text.toLowerCase();
  let found = 0;
  for (let i = 0; i < keywords.length; i++) {
    if (lower.includes(keywords[i])) found++;
  }
  return found;
}
