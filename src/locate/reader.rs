//! What a line does to the story of its lane: one act of the state machine for each line read.

use super::{
    Finding, Place, Role, Severity,
    family::{self, Kind},
    lane::{Heading, LEAD_PATIENCE, Lane, Lead, PATIENCE, Story, Title, Trace},
    matching::{self, Match},
    rule::{Act, Fold, Rule},
    scanner::{MESSAGE, REPEAT, Scanner, clip},
    shape::Shape,
};
use crate::event::Seq;

/// One line being read.
pub(super) struct Reader<'a> {
    pub(super) scanner: &'a mut Scanner,
    pub(super) lane: &'a mut Lane,
    pub(super) seq: Seq,
    pub(super) found: &'a mut Vec<Finding>,
}

// === impl Reader ===

impl Reader<'_> {
    pub(super) fn read(&mut self, text: &str, start: usize) {
        let body = &text[start..];
        let trimmed = body.trim_start();
        self.turn();
        if trimmed.is_empty() {
            self.blank(body);
            return;
        }
        self.say(Some(trimmed));
        let shape = Shape::of(body) | self.lane.shape();
        let matched = matching::recognise(text, start, trimmed, shape);
        self.tell(matched, body);
    }

    /// The lane's next line begins.
    pub(super) fn turn(&mut self) {
        self.lane.now += 1;
        self.lane.age();
        if self.lane.title.as_ref().is_some_and(|title| self.lane.now.saturating_sub(title.since) > PATIENCE)
        {
            self.flush();
        }
    }

    /// What a line that is not blank does, given the rule that has it.
    pub(super) fn tell(&mut self, matched: Option<Match>, body: &str) {
        let frames = matched.as_ref().is_some_and(|matched| {
            matches!(matched.rule.act, Act::Frame | Act::Internal | Act::FrameLast | Act::Chain)
        });
        if !frames && self.lane.title.as_ref().is_some_and(|title| title.framed) {
            self.flush();
        }
        self.follow(matched.as_ref(), body);
        let mut titles = true;
        if let Some(matched) = matched {
            titles = !matches!(
                matched.rule.act,
                Act::Frame | Act::Internal | Act::FrameLast | Act::Quiet | Act::Error
            );
            self.act(matched, body);
        }
        self.lane.in_frames = frames;
        if titles {
            self.lane.remember(self.seq, body);
        } else {
            self.lane.remember(Seq(0), "");
        }
    }

    /// Whether the line continues the stack frames above it.
    fn follow(&mut self, matched: Option<&Match>, body: &str) {
        let (seq, lane) = (self.seq, self.lane.used);
        match matched {
            Some(Match { rule, place, .. })
                if matches!(rule.act, Act::Frame | Act::Internal | Act::FrameLast) =>
            {
                self.scanner.folding.frame(seq, lane, rule.act, place.as_ref());
            }
            other => {
                // Source, and what reads like the end of a trace but stands too deep.
                let source = other.is_none_or(|matched| matched.rule.act == Act::Raised);
                let ends = |trace: &Trace| other.is_some() && indent(body) <= trace.indent;
                let inside = source && indent(body) > 0 && !self.lane.trace.as_ref().is_some_and(ends);
                self.scanner.folding.other(seq, lane, inside);
            }
        }
    }

    pub(super) fn blank(&mut self, body: &str) {
        self.scanner.folding.end();
        if self.lane.title.as_ref().is_some_and(|title| title.framed) {
            self.flush();
        }
        if body.is_empty() && self.lane.until_blank {
            self.lane.repeating = 0;
        }
        // What stands above a gap is no title for frames below it, but the gap does not end a story.
        self.lane.in_frames = false;
    }

    fn act(&mut self, matched: Match, body: &str) {
        let Match { rule, place, message, severity } = matched;
        match rule.act {
            Act::Error if severity == Severity::Info => self.note(rule, place, message, severity),
            Act::Error => self.error(rule, place, message, severity),
            Act::Title => self.title(rule, message, severity),
            Act::Location => self.location(rule, place, message),
            Act::Note => self.note(rule, place, message, Severity::Info),
            Act::Lead => self.lead(rule, place),
            Act::Told => self.told(rule, message, severity),
            Act::Here => self.here(rule, place, message),
            Act::Free => self.place(rule, place, 0, message, Severity::Info),
            Act::Frame => self.frame(rule, place),
            Act::Internal => {
                if let Some(title) = &mut self.lane.title {
                    title.framed = true;
                }
            }
            Act::Trace => self.trace(body),
            Act::FrameLast => self.frame_last(rule, place, body),
            Act::Raised => self.raised(rule, message, severity, body),
            Act::Chain => self.lane.chained = self.lane.story.as_ref().map(|story| story.group),
            Act::Heading => {
                if let Some(place) = place {
                    let since = self.lane.now;
                    self.lane.heading = Some(Heading { seq: self.seq, place, told: false, since });
                }
            }
            Act::Position => self.position(rule, place, message, severity),
            Act::Hold => self.hold(rule, place),
            Act::Confirm => {
                if let Some(title) = &mut self.lane.title {
                    title.framed = true;
                    title.held = false;
                }
                self.flush();
            }
            Act::Cancel => self.lane.title = None,
            Act::Repeat => {
                self.flush();
                self.lane.repeating = REPEAT;
                self.lane.until_blank = place.is_some();
                self.place(rule, place, 0, message, Severity::Info);
            }
            Act::Fresh => self.lane.repeating = 0,
            Act::Quiet => {}
        }
    }

    fn error(&mut self, rule: &'static Rule, place: Option<Place>, message: String, severity: Severity) {
        let Some(place) = place else { return };
        self.flush();
        if rule.habit.cause
            && self.lane.in_frames
            && let Some(story) = &self.lane.story
        {
            let group = story.group;
            self.place(rule, Some(place), group, message, severity);
            return;
        }
        let said = self.lane.said.take();
        let message = said.filter(|_| rule.habit.said).unwrap_or(message);
        self.lane.trace = None;
        self.heading_told(&place);
        if let Some((last, file, line, group, at)) = &self.lane.last
            && rule.habit.fold != Fold::Never
            && *last == rule.name
            && *file == place.file
            && (rule.habit.fold == Fold::File || *line == place.line)
            && at + 1 == self.lane.now
        {
            let group = *group;
            self.lane.last = Some((rule.name, place.file.clone(), place.line, group, self.lane.now));
            self.place(rule, Some(place), group, message, severity);
            return;
        }
        let now = self.lane.now;
        let near = |lead: &Lead| rule.habit.said || now.saturating_sub(lead.since) <= LEAD_PATIENCE;
        let group = match self.lane.lead.take().filter(near) {
            Some(lead) => lead.group,
            None if rule.habit.again => self.scanner.group_again(rule.name, &place, &message),
            None => self.scanner.group(),
        };
        self.open(group, &place.file, severity);
        if rule.habit.fold != Fold::Never {
            self.lane.last = Some((rule.name, place.file.clone(), place.line, group, self.lane.now));
        }
        let finding = self.headline(rule.name, self.seq, Some(place), message, severity, group);
        if rule.habit.next {
            self.lane.unsaid = Some(finding);
        } else {
            self.found.push(finding);
        }
    }

    fn title(&mut self, rule: &'static Rule, message: String, severity: Severity) {
        self.flush();
        self.lane.trace = None;
        if severity == Severity::Info {
            // A note keeps the story before it open, and is itself no headline.
            return;
        }
        let lead = self.lane.lead.take().filter(|lead| rule.habit.header && !lead.rule.habit.told);
        self.lane.story = None;
        self.lane.title = Some(Title {
            seq: self.seq,
            message,
            severity,
            rule: rule.name,
            group: lead.as_ref().map(|lead| lead.group),
            soft: rule.habit.soft,
            alone: rule.habit.alone,
            again: rule.habit.again,
            framed: false,
            held: false,
            fallback: lead.map(|lead| lead.place),
            since: self.lane.now,
        });
    }

    fn location(&mut self, rule: &'static Rule, place: Option<Place>, message: String) {
        let Some(place) = place else { return };
        if let Some(severity) = self.lane.title.as_ref().map(|title| title.severity) {
            let group = self.settle(&place);
            self.place(rule, Some(place), group, message, severity);
        } else {
            self.note(rule, Some(place), message, Severity::Info);
        }
    }

    fn note(&mut self, rule: &'static Rule, place: Option<Place>, message: String, severity: Severity) {
        let now = self.lane.now;
        let group = if let Some(story) = &mut self.lane.story {
            story.since = now;
            story.group
        } else {
            0
        };
        self.place(rule, place, group, message, severity);
    }

    fn lead(&mut self, rule: &'static Rule, place: Option<Place>) {
        let Some(place) = place else { return };
        self.flush();
        let group = self.lane.lead.take().map_or_else(|| self.scanner.group(), |lead| lead.group);
        self.lane.lead = Some(Lead { rule, place: borrowed(&place), group, since: self.lane.now });
        self.place(rule, Some(place), group, String::new(), Severity::Info);
    }

    fn told(&mut self, rule: &'static Rule, message: String, severity: Severity) {
        let Some(lead) = self.lane.lead.take() else { return };
        self.flush();
        self.open(lead.group, &lead.place.file, severity);
        let finding = self.headline(rule.name, self.seq, Some(lead.place), message, severity, lead.group);
        self.found.push(finding);
    }

    fn here(&mut self, rule: &'static Rule, place: Option<Place>, message: String) {
        let (Some(mut place), Some(story)) = (place, &self.lane.story) else { return };
        place.file.clone_from(&story.file);
        let (group, severity) = (story.group, story.severity);
        self.place(rule, Some(place), group, message, severity);
    }

    fn frame(&mut self, rule: &'static Rule, place: Option<Place>) {
        let Some(place) = place else { return };
        let library = family::kind(&place.file) == Kind::Library;
        if self.lane.title.is_none() && rule.habit.promote && !self.lane.in_frames {
            self.promote(rule);
        }
        let now = self.lane.now;
        if let Some(title) = &mut self.lane.title {
            title.since = now;
            if library || title.held {
                title.framed = true;
                if title.group.is_none() {
                    title.group = Some(self.scanner.group());
                }
                let group = title.group.unwrap_or(0);
                if title.fallback.is_none() {
                    title.fallback = Some(borrowed(&place));
                }
                self.place(rule, Some(place), group, String::new(), Severity::Info);
            } else {
                let group = self.settle(&place);
                self.place(rule, Some(place), group, String::new(), Severity::Info);
            }
        } else {
            self.note(rule, Some(place), String::new(), Severity::Info);
        }
    }

    /// Frames without a title: the line above them is taken for one, unless it says that it is none.
    fn promote(&mut self, rule: &'static Rule) {
        let (seq, message) = &self.lane.previous;
        let told = message.starts_with("Trace") || message.starts_with("console.");
        let marks = !message.contains(char::is_alphanumeric);
        if *seq == Seq(0) || told || marks {
            return;
        }
        self.lane.story = None;
        self.lane.title = Some(Title {
            seq: *seq,
            message: message.clone(),
            severity: Severity::Error,
            rule: rule.name,
            group: self.lane.lead.take().map(|lead| lead.group),
            soft: false,
            alone: false,
            again: false,
            framed: false,
            held: false,
            fallback: None,
            since: self.lane.now,
        });
    }

    fn trace(&mut self, body: &str) {
        self.flush();
        let chained = self.lane.chained.take();
        let group = chained.unwrap_or_else(|| self.scanner.group());
        self.lane.trace = Some(Trace {
            group,
            chained: chained.is_some(),
            indent: indent(body),
            user: None,
            any: None,
            since: self.lane.now,
        });
    }

    fn frame_last(&mut self, rule: &'static Rule, place: Option<Place>, body: &str) {
        let Some(place) = place else { return };
        if self.lane.trace.is_none() {
            self.trace(body);
            if let Some(trace) = &mut self.lane.trace {
                trace.indent = trace.indent.saturating_sub(2);
            }
        }
        let now = self.lane.now;
        let Some(trace) = &mut self.lane.trace else { return };
        trace.since = now;
        if family::kind(&place.file) == Kind::User {
            trace.user = Some(borrowed(&place));
        } else {
            trace.any = Some(borrowed(&place));
        }
        let group = trace.group;
        self.place(rule, Some(place), group, String::new(), Severity::Info);
    }

    fn raised(&mut self, rule: &'static Rule, message: String, severity: Severity, body: &str) {
        let Some(trace) = &self.lane.trace else {
            self.lane.said.get_or_insert(message);
            return;
        };
        if indent(body) > trace.indent {
            return;
        }
        let (group, chained) = (trace.group, trace.chained);
        let place = trace.user.clone().or_else(|| trace.any.clone());
        self.lane.trace = None;
        self.open(group, place.as_ref().map_or("", |place| &place.file), severity);
        let mut finding = self.headline(rule.name, self.seq, place, message, severity, group);
        if chained {
            finding.role = Role::Place;
        }
        self.found.push(finding);
    }

    fn position(&mut self, rule: &'static Rule, place: Option<Place>, message: String, severity: Severity) {
        let (Some(mut place), Some(heading)) = (place, &mut self.lane.heading) else { return };
        heading.since = self.lane.now;
        place.file.clone_from(&heading.place.file);
        self.flush();
        self.heading_told(&place);
        let group = self.scanner.group();
        self.open(group, &place.file, severity);
        let finding = self.headline(rule.name, self.seq, Some(place), message, severity, group);
        self.found.push(finding);
    }

    /// The heading above a position gets that position's line, once.
    fn heading_told(&mut self, place: &Place) {
        let now = self.lane.now;
        let Some(heading) = &mut self.lane.heading else { return };
        if heading.place.file != place.file {
            self.lane.heading = None;
            return;
        }
        heading.since = now;
        if !std::mem::replace(&mut heading.told, true) {
            let place = Place { line: place.line, ..heading.place.clone() };
            self.found.push(Finding {
                seq: heading.seq,
                role: Role::Place,
                severity: Severity::Info,
                place: Some(place),
                message: String::new(),
                rule: "heading",
                group: 0,
            });
        }
    }

    fn hold(&mut self, rule: &'static Rule, place: Option<Place>) {
        let Some(place) = place else { return };
        let mut group = 0;
        if let Some(title) = &mut self.lane.title {
            title.held = true;
            if title.group.is_none() {
                title.group = Some(self.scanner.group());
            }
            group = title.group.unwrap_or(0);
            title.fallback = Some(borrowed(&place));
        }
        self.place(rule, Some(place), group, String::new(), Severity::Info);
    }

    /// The waiting title has its place: tells it and opens its story.
    fn settle(&mut self, place: &Place) -> u32 {
        let Some(title) = self.lane.title.take() else { return 0 };
        let group = match title.group {
            Some(group) => group,
            None if title.again => self.scanner.group_again(title.rule, place, &title.message),
            None => self.scanner.group(),
        };
        self.open(group, &place.file, title.severity);
        let place = borrowed(place);
        let finding = self.headline(title.rule, title.seq, Some(place), title.message, title.severity, group);
        self.found.push(finding);
        group
    }

    /// Nothing better will come for the waiting title.
    pub(super) fn flush(&mut self) {
        let Some(title) = self.lane.title.take_if(|title| !title.held) else {
            self.lane.title = None;
            return;
        };
        if let Some(place) = title.fallback.clone() {
            self.lane.title = Some(title);
            self.settle(&place);
        } else if (title.alone || title.framed) && !title.soft {
            let group = title.group.unwrap_or_else(|| self.scanner.group());
            let finding = self.headline(title.rule, title.seq, None, title.message, title.severity, group);
            self.found.push(finding);
        }
    }

    /// The line after a headline that had no message.
    pub(super) fn say(&mut self, message: Option<&str>) {
        if let Some(mut finding) = self.lane.unsaid.take() {
            if let Some(message) = message {
                clip(message.trim_end(), MESSAGE).clone_into(&mut finding.message);
            }
            self.found.push(finding);
        }
    }

    fn open(&mut self, group: u32, file: &str, severity: Severity) {
        self.lane.story = Some(Story { group, file: file.to_owned(), severity, since: self.lane.now });
    }

    fn headline(
        &self,
        rule: &'static str,
        seq: Seq,
        place: Option<Place>,
        message: String,
        severity: Severity,
        group: u32,
    ) -> Finding {
        let repeated = self.lane.repeating > 0;
        let role = if repeated { Role::Place } else { Role::Headline };
        let severity = if repeated { Severity::Info } else { severity };
        Finding { seq, role, severity, place, message, rule, group }
    }

    fn place(
        &mut self,
        rule: &'static Rule,
        place: Option<Place>,
        group: u32,
        message: String,
        severity: Severity,
    ) {
        if place.is_none() {
            return;
        }
        let severity = if self.lane.repeating > 0 { Severity::Info } else { severity };
        self.found.push(Finding {
            seq: self.seq,
            role: Role::Place,
            severity,
            place,
            message,
            rule: rule.name,
            group,
        });
    }
}

/// A place named by another line than the one it is told for.
fn borrowed(place: &Place) -> Place {
    Place { span: (0, 0), ..place.clone() }
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start().len()
}
