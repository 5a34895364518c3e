"""What a run trains on and is measured by: pairs of texts, or speech with its text."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint, OwnTokenizer
from seq2seq.data.audio import standardise
from seq2seq.data.batching import Batch, Example, collate, plan_batches
from seq2seq.data.dialogue import source_of, turns_of, with_earlier_turns
from seq2seq.data.parallel_corpus import Pair, read_pairs
from seq2seq.data.reply_cleaning import casual, fit_to_learn, related
from seq2seq.data.sentence_splitting import split_sentences
from seq2seq.data.speech_corpus import (
    Spoken,
    Utterance,
    collate_speech,
    features,
    plan_speech,
    read_speakers,
    read_speech,
    without,
)
from seq2seq.data.tasks import draw_pairs
from seq2seq.data.tokenizer import SplitRules, Unigram
from seq2seq.data.tokenizer_pair import TokenizerPair
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError, quote
from seq2seq.evaluation.evaluate import evaluate
from seq2seq.evaluation.evaluate_speech import evaluate_speech
from seq2seq.evaluation.exact_match import longest_output, match_scores, outputs
from seq2seq.evaluation.losses import corpus_loss, encode_pairs, speech_loss
from seq2seq.evaluation.reply_metrics import dull
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.training.augmentation import at_speed, in_strings, lengthen, vary
from seq2seq.training.data_files import data_file, data_files
from seq2seq.training.headlines import Headlines
from seq2seq.training.qualifiers import qualified, restored
from seq2seq.training.recipe import Recipe, SubstitutionSettings, TypingSettings
from seq2seq.training.series_corpus import SeriesCorpus
from seq2seq.training.small_talk import exchanges
from seq2seq.training.substitution import all_varied, further
from seq2seq.training.summary_pairs import in_paragraphs, instructed
from seq2seq.training.word_cuts import word_cuts

GREEDY = Options(method="greedy")
SUMMARIZED = 300  # texts of valid that are summarized while a model is trained
LOOSE = 4  # frames by which some words may begin earlier and end later
STATEMENT = 6  # words from which a turn that is no question says something to take up


class Corpus(Protocol):
    """What the loop asks for; an example is of a type that only its corpus knows."""

    def fit(self) -> OwnTokenizer:
        """Make a tokenizer for the training inputs."""
        ...

    def encode(self, tokenizer: Any) -> None:
        """Make ready for the calls below."""
        ...

    def epoch(self, number: int) -> list[Any]:
        """Draw the examples of an epoch: the same for the same number."""
        ...

    def plan(self, examples: list[Any], seed: int) -> list[np.ndarray]:
        """Group example numbers into batches, in random order."""
        ...

    def batch(self, examples: list[Any]) -> Batch:
        """Make one batch for training."""
        ...

    def loss(self, model: Seq2Seq) -> float:
        """Return the loss on valid, in nats a target token."""
        ...

    def score(self, checkpoint: Checkpoint, loss: float) -> tuple[float, dict[str, float]]:
        """Decode valid greedily. Returns what a run chooses its weights by, smaller is better, and
        the scores to log.
        """
        ...


def read_corpus(recipe: Recipe, data: Path) -> Corpus:
    """Read the files of a recipe, below the folder `data`. Raises UserError where it cannot."""
    if recipe.data.limit and (recipe.model.get("input") == "audio" or recipe.card.turn_separator):
        raise UserError("The recipe's limit is for pairs of texts: leave it out for others.")
    if recipe.model.get("input") == "series":
        return SeriesCorpus(recipe, data)
    if recipe.model.get("input") == "audio":
        return SpeechCorpus(recipe, data)
    return DialogueCorpus(recipe, data) if recipe.card.turn_separator else TextCorpus(recipe, data)


def chosen(
    recipe: Recipe, sizes: Sequence[int], draw: random.Random, epoch: int
) -> list[list[int]]:
    """Draw the numbers of the items of each file that an epoch reads, as the recipe's share says.

    sizes: items in each file.
    """
    later = recipe.data.share_later if epoch else ()
    shares = later or recipe.data.share or (1.0,) * len(sizes)
    numbers = []
    for size, share in zip(sizes, shares, strict=True):
        whole = int(share)
        rest = draw.sample(range(size), int((share - whole) * size)) if share > whole else []
        numbers.append(sorted([*list(range(size)) * whole, *rest]))
    return numbers


def limited(recipe: Recipe, files: Sequence[Sequence[Pair]]) -> list[list[Pair]]:
    """Draw as many pairs as the recipe's limit says, of each file as its share says."""
    draw = random.Random(recipe.training.seed)
    shares = recipe.data.share or (1.0,) * len(files)
    weights = [len(file) * share for file, share in zip(files, shares, strict=True)]
    drawn = []
    for file, weight in zip(files, weights, strict=True):
        count = round(recipe.data.limit * weight / sum(weights))
        drawn.append(draw.sample(file, min(count, len(file))))
    return drawn


def measured(recipe: Recipe, valid: Sequence[Pair], parts: int = 1) -> list[Pair]:
    """Draw the pairs of valid that a training is measured by, as many as the recipe says.

    parts: of valid, this being one of them, that give equally many.
    """
    most = math.ceil(recipe.data.measured / parts)
    if not most or most >= len(valid):
        return list(valid)
    return random.Random(recipe.training.seed).sample(valid, most)


def in_texts(examples: Sequence[Example], share: float, draw: random.Random) -> list[Example]:
    """Join some examples to texts of several, sources and targets alike; each is used once.

    share: of the results, about, that are two or three examples.
    """
    joined, start = [], 0
    while start < len(examples):
        count = draw.randint(2, 3) if draw.random() < share else 1
        parts = examples[start : start + count]
        joined.append(
            Example(*(list(chain.from_iterable(side)) for side in zip(*parts, strict=True)))
        )
        start += count
    return joined


class TextCorpus:
    """Files of pairs."""

    def __init__(self, recipe: Recipe, data: Path) -> None:
        self.recipe = recipe
        self.files: list[list[Pair]]
        self.valid: list[Pair]
        self.valid_by_instruction: dict[str, list[Pair]]
        columns = recipe.data.columns
        if recipe.data.join and recipe.data.instructions:
            raise UserError("The recipe joins texts after instructions: give a paragraph instead.")
        if recipe.data.task:
            drawn = draw_pairs(
                recipe.data.task, recipe.data.pairs, recipe.data.held_out, recipe.training.seed
            )
            self.files, self.valid = [list(drawn.train)], list(drawn.valid)
            self.valid_by_instruction = {"": self.valid}
            return
        self.files = [read_pairs(path, columns) for path in data_files(data, recipe.data.train)]
        if recipe.data.limit:
            self.recipe = replace(recipe, data=replace(recipe.data, share=(), share_later=()))
            self.files = limited(recipe, self.files)
        if recipe.qualifiers.restored:
            self.files = [[restored(pair) for pair in file] for file in self.files]
        if any(recipe.data.headlines):
            self.headlines = Headlines(pair.source for file in self.files for pair in file)
        valid: dict[str, list[Pair]] = {}
        instructions = recipe.data.valid_instructions or ("",) * len(recipe.data.valid)
        for name, instruction in zip(recipe.data.valid, instructions, strict=True):
            valid.setdefault(instruction, []).extend(read_pairs(data_file(data, name), columns))
        for path in data_files(data, recipe.data.registers):
            read_pairs(path, columns)  # scored at the end: what is missing is told at once
        self.valid_by_instruction = {key: measured(recipe, each) for key, each in valid.items()}
        self.valid = list(chain.from_iterable(self.valid_by_instruction.values()))

    def fit(self) -> OwnTokenizer:
        """Make a tokenizer from the sides that the recipe names, or one for each side.

        A shared one knows all characters.
        """
        settings = self.recipe.tokenizer
        files = self._texts(0) if self._varies() else self.files
        sides = {
            side: [getattr(pair, side) for file in files for pair in file] for side in Pair._fields
        }
        if settings.source_kind:
            return TokenizerPair(
                self._fit_side(sides["source"], settings.source_kind),
                self._fit_side(sides["target"], settings.kind),
            )
        read = list(sides) if settings.fit == "both" else [settings.fit]
        sentences = chain.from_iterable(zip(*(sides.pop(side) for side in read), strict=True))
        characters = sorted({c for texts in sides.values() for text in texts for c in text})
        rules = SplitRules(
            tuple(settings.symbols), tuple(characters), settings.digits, settings.space
        )
        return Unigram.train(
            sentences, settings.pieces, settings.kind, self.recipe.card.folded, rules
        )

    def _fit_side(self, texts: list[str], kind: str) -> Unigram:
        settings, folded = self.recipe.tokenizer, self.recipe.card.folded
        rules = SplitRules(space=settings.space or kind == "word")
        return Unigram.train(texts, settings.pieces, kind, folded, rules)

    def _varies(self) -> bool:
        recipe, data = self.recipe, self.recipe.data
        typed = (recipe.substitution, recipe.typing) != (SubstitutionSettings(), TypingSettings())
        rewritten = data.instructions, data.paragraph, data.headlines
        return typed or recipe.qualifiers.added > 0 or any(rewritten)

    def _texts(self, number: int) -> list[list[Pair]]:
        """Draw the pairs of an epoch, varied anew, by file; those made from patterns come last."""
        recipe = self.recipe
        draw = random.Random(recipe.training.seed * 1_000 + number)
        numbers = chosen(recipe, [len(file) for file in self.files], draw, number)
        texts = [
            all_varied((file[i] for i in drawn), recipe.substitution, recipe.typing, draw)
            for file, drawn in zip(self.files, numbers, strict=True)
        ]
        texts = [self._as_summaries(pairs, file, draw) for file, pairs in enumerate(texts)]
        more = further(sum(map(len, texts)), recipe.substitution, draw)
        nothing = SubstitutionSettings()
        return [*texts, all_varied(more, nothing, recipe.typing, draw)]

    def targets(self) -> list[str]:
        """Return the targets of an epoch, as they are learnt."""
        return [pair.target for file in self._texts(0) for pair in file]

    def _as_summaries(self, pairs: list[Pair], file: int, draw: random.Random) -> list[Pair]:
        """Return pairs of a file as the recipe has its summaries, after the file's instruction."""
        data, added = self.recipe.data, self.recipe.qualifiers.added
        if added:
            pairs = [qualified(pair, draw) if draw.random() < added else pair for pair in pairs]
        if data.headlines and data.headlines[file]:
            pairs = [Pair(pair.source, self.headlines.of(pair.target)) for pair in pairs]
        if data.paragraph:
            lead = data.lead[file] if data.lead else 1
            pairs = in_paragraphs(pairs, data.paragraph[file], lead, draw)
        return instructed(pairs, data.instructions[file] if data.instructions else "")

    def encode(self, tokenizer: Unigram | TokenizerPair) -> None:
        """Split all pairs into ids."""
        self.tokenizer = tokenizer
        self.examples = [] if self._varies() else [encode_pairs(tokenizer, f) for f in self.files]
        self.valid_parts = {
            instruction: encode_pairs(tokenizer, instructed(pairs, instruction))
            for instruction, pairs in self.valid_by_instruction.items()
        }
        self.valid_examples = list(chain.from_iterable(self.valid_parts.values()))

    def epoch(self, number: int) -> list[Any]:
        """Draw the examples of an epoch; splits are sampled anew if the recipe says so."""
        seed, alpha = self.recipe.training.seed * 1_000 + number, self.recipe.tokenizer.alpha
        draw = random.Random(seed)
        if alpha and isinstance(self.tokenizer, Unigram):
            self.tokenizer.seed(seed)
        if self._varies():
            pairs = list(chain.from_iterable(self._texts(number)))
            examples = encode_pairs(self.tokenizer, pairs, alpha or None)
        else:
            examples = self._as_they_are(number, draw)
        if self.recipe.data.join:
            draw.shuffle(examples)
            examples = in_texts(examples, self.recipe.data.join, draw)
        limit = self.recipe.data.max_tokens
        return [example for example in examples if max(map(len, example)) <= limit]

    def _as_they_are(self, number: int, draw: random.Random) -> list[Example]:
        """Draw the examples of an epoch whose texts do not change."""
        examples, alpha = [], self.recipe.tokenizer.alpha
        numbers = chosen(self.recipe, [len(file) for file in self.files], draw, number)
        for file, fixed, drawn in zip(self.files, self.examples, numbers, strict=True):
            if alpha:
                examples += encode_pairs(self.tokenizer, [file[i] for i in drawn], alpha)
            else:
                examples += [fixed[i] for i in drawn]
        return examples

    def plan(self, examples: list[Any], seed: int) -> list[np.ndarray]:
        """Group by the length of the source, as plan_batches does."""
        return plan_batches(examples, self.recipe.training.batch_tokens, seed)

    def batch(self, examples: list[Any]) -> Batch:
        """Make one batch."""
        return collate(examples)

    def loss(self, model: Seq2Seq) -> float:
        """Return the loss on valid; of several parts, by instruction or, of a chatbot, by file, the
        geometric mean of theirs.

        So that a share less counts the same for each, though one may be much harder, or longer.
        """
        losses = [corpus_loss(model, part) for part in self.valid_parts.values()]
        return math.exp(sum(map(math.log, losses)) / len(losses)) if len(losses) > 1 else losses[0]

    def score(self, checkpoint: Checkpoint, loss: float) -> tuple[float, dict[str, float]]:
        """Choose by the loss; log BLEU, for summaries the F1 of kept words in a few, or matches.

        A word is said right or wrong: there choose by the share of wrong ones, which still falls
        when the loss, for want of doubt, rises again; where it is equal by the loss.
        """
        if self.recipe.data.score == "exact_match":
            sources = [each.source for each in self.valid_examples]
            found = outputs(checkpoint.model, sources, longest_output(self.valid_examples))
            scores = match_scores(found, [each.target for each in self.valid_examples])
            return loss, {f"valid_{name}": value for name, value in scores.items()}
        if checkpoint.card.task == "summarization":
            return loss, self._summary_scores(checkpoint)
        greedy = evaluate(checkpoint, self.valid, GREEDY)
        if checkpoint.card.task == "spelling":
            keys = ("phoneme_error_rate", "word_error_rate")
            logged = {f"valid_{key}_greedy": greedy[key] for key in keys}
            return greedy["word_error_rate"] + loss / 1_000, logged
        return loss, {"valid_bleu_greedy": greedy["bleu"]}

    def _summary_scores(self, checkpoint: Checkpoint) -> dict[str, float]:
        """Score a few greedy summaries of each instruction's part of valid, named after it."""
        scores = {}
        for instruction, pairs in self.valid_by_instruction.items():
            options = replace(GREEDY, instruction=instruction)
            found = evaluate(checkpoint, pairs[:SUMMARIZED], options)
            name = f"_{instruction.strip('<>')}" if instruction else ""
            scores[f"valid_kept_f1_greedy{name}"] = found["kept_f1"]
            if instruction:
                scores[f"valid_loss{name}"] = found["loss"]
                scores[f"valid_rouge_l_greedy{name}"] = found["rouge_l"]
        return scores


class DialogueCorpus(TextCorpus):
    """Files of conversations: sources of several turns, varied at each epoch; tidied replies."""

    def __init__(self, recipe: Recipe, data: Path) -> None:
        self.recipe, self.separator = recipe, recipe.card.turn_separator
        if self.separator not in recipe.tokenizer.symbols:
            raise UserError("The recipe's turn_separator is not among its symbols: name it there.")

        def read(names: Sequence[str]) -> list[list[Pair]]:
            columns = recipe.data.columns
            files = (read_pairs(path, columns, self.separator) for path in data_files(data, names))
            return [self._lengthened(file) for file in files]

        # As they were typed: of long files an epoch draws little, and tidies what it draws.
        self.files = read(recipe.data.train)
        valid = [fit_to_learn(file) for file in read(recipe.data.valid)]
        self.valid_by_file = [measured(recipe, file, len(valid)) for file in valid]
        self.valid = list(chain.from_iterable(self.valid_by_file))

    def fit(self) -> OwnTokenizer:
        """Make a tokenizer from what is learnt, as it is learnt."""
        typed, self.files = self.files, [fit_to_learn(file) for file in self.files]
        tokenizer = super().fit()
        self.files = typed
        return tokenizer

    def encode(self, tokenizer: Unigram | TokenizerPair) -> None:
        """Split the pairs of valid into ids; those of an epoch are split as they are drawn."""
        self.tokenizer = tokenizer
        names, files = self.recipe.data.valid, self.valid_by_file
        parts = [encode_pairs(tokenizer, file) for file in files]
        self.valid_parts = dict(zip(names, parts, strict=True))
        self.valid_examples = list(chain.from_iterable(parts))

    def _lengthened(self, pairs: list[Pair]) -> list[Pair]:
        settings, words = self.recipe.dialogue, 2 * self.recipe.data.max_tokens // 3
        if not settings.earlier:
            return pairs
        sources = with_earlier_turns(pairs, self.separator, settings.earlier, words)
        return [Pair(source, pair.target) for source, pair in zip(sources, pairs, strict=True)]

    def _share(self, pair: Pair) -> float:
        """Return the probability that a pair which an epoch draws is learnt."""
        settings, last = self.recipe.dialogue, turns_of(pair.source, self.separator)[-1]
        answers = last.endswith("?") or len(last.split()) < STATEMENT or related(last, pair.target)
        return (settings.dull if dull(pair.target) else 1) * (1 if answers else settings.unrelated)

    def _made(self, count: int, draw: random.Random) -> list[Pair]:
        but = chain.from_iterable(self.recipe.prompts.values())
        return exchanges(count, self.separator, draw, but) if count else []

    def epoch(self, number: int) -> list[Any]:
        """Draw the examples of an epoch, each source varied anew."""
        draw = random.Random(self.recipe.training.seed * 1_000 + number)
        numbers = chosen(self.recipe, [len(file) for file in self.files], draw, number)
        pairs: list[Pair] = []
        for file, drawn in zip(self.files, numbers, strict=True):
            tidied = fit_to_learn([file[i] for i in drawn])
            pairs += [pair for pair in tidied if draw.random() < self._share(pair)]
        pairs += self._made(round(self.recipe.dialogue.made * len(pairs)), draw)
        varied = [
            Pair(self._vary(pair.source, draw), self._shorten(pair.target, draw)) for pair in pairs
        ]
        limit = self.recipe.data.max_tokens
        examples = encode_pairs(self.tokenizer, varied)
        return [example for example in examples if max(map(len, example)) <= limit]

    def _shorten(self, reply: str, draw: random.Random) -> str:
        share = self.recipe.dialogue.unasked
        if not share or not reply.endswith("?") or draw.random() >= share:
            return reply
        return " ".join(split_sentences(reply)[:-1]) or reply

    def _vary(self, source: str, draw: random.Random) -> str:
        settings, turns = self.recipe.dialogue, turns_of(source, self.separator)
        if draw.random() < settings.blank:
            return ""
        if len(turns) > 1 and draw.random() < settings.forget:
            turns = turns[-1:]
        elif len(turns) == 1 and draw.random() < settings.interrupt:
            turns = [draw.choice(draw.choice(self.files)).target, *turns]
        if draw.random() < settings.casual:
            turns[-1] = casual(turns[-1], draw)
        return source_of(turns, self.separator)

    def score(self, checkpoint: Checkpoint, loss: float) -> tuple[float, dict[str, float]]:
        """Choose by the loss: what is said to a reply has too many answers to compare with one."""
        return loss, {}


class SpeechCorpus:
    """Archives of recordings: their train splits, and the valid splits of the files of `valid`."""

    def __init__(self, recipe: Recipe, data: Path) -> None:
        self.recipe, self.bins = recipe, recipe.model.get("bins", 80)
        self.level = recipe.model.get("level", "mean")
        self.margin = recipe.model.get("margin", 0.0)
        strings = recipe.augmentation.strings
        if len(strings) not in (0, len(recipe.data.train)):
            raise UserError("The recipe's strings and train differ in length: give one a file.")
        self.strings = strings or (1,) * len(recipe.data.train)
        paths = data_files(data, (*recipe.data.train, *recipe.data.valid))
        held_out = recipe.data.held_out_speakers
        for name in sorted(set(held_out).difference(*map(read_speakers, paths))):
            raise UserError(
                f"The recipe holds out {quote(name)}, of whom its files have no recording: "
                "name a speaker of their manifests."
            )

        def read(path: Path, split: str) -> list[Utterance]:
            if left := without(read_speech(path, split), held_out):
                return left
            raise UserError(f"The recipe holds out everybody in {path.name}: leave the file out.")

        count = len(recipe.data.train)
        self.files = [read(path, "train") for path in paths[:count]]
        self.valid = {path.stem: read(path, "valid") for path in paths[count:]}

    def fit(self) -> Unigram:
        """Make a tokenizer for the texts."""
        settings = self.recipe.tokenizer
        texts = [each.text for file in self.files for each in file]
        rules = SplitRules(tuple(settings.symbols))
        return Unigram.train(texts, settings.pieces, settings.kind, rules=rules)

    def encode(self, tokenizer: Unigram) -> None:
        """Split the texts into ids, and compute the log energies of the sound at each speed."""
        self.tokenizer = tokenizer
        self.cuts: list[list[list[int]]] = []  # of each recording, empty where they are not known
        self.targets = [tokenizer.encode_all([each.text for each in file]) for file in self.files]
        speeds = self.recipe.augmentation.speeds
        self.energies: list[list[list[Tensor]]] = [
            [[at_speed(each.samples, speed, self.bins) for speed in speeds] for each in file]
            for file in self.files
        ]
        valid: list[Utterance] = list(chain.from_iterable(self.valid.values()))
        texts = tokenizer.encode_all([each.text for each in valid])
        pairs = zip(features(valid, self.bins, self.level, self.margin), texts, strict=True)
        self.valid_examples = [Spoken(*pair) for pair in pairs]

    def epoch(self, number: int) -> list[Any]:
        """Draw the examples of an epoch: each recording once, alone or in a string, varied anew."""
        draw = random.Random(self.recipe.training.seed * 1_000 + number)
        examples = []
        sizes = [len(each) for each in self.files]
        for file, drawn in enumerate(chosen(self.recipe, sizes, draw, number)):
            speakers = [self.files[file][number].speaker for number in drawn]
            for group in in_strings(speakers, self.strings[file], draw):
                examples.append(self._joined(file, [drawn[place] for place in group], draw))
        return [each for each in examples if len(each.target) <= self.recipe.data.max_tokens]

    def align(self, model: Seq2Seq) -> None:
        """Find where the words of the recordings begin, by a model that hears them already."""
        for file, targets in zip(self.files, self.targets, strict=True):
            self.cuts.append([[] for _ in file])
            for number, (each, target) in enumerate(zip(file, targets, strict=True)):
                if " " not in each.text:
                    continue
                mel = at_speed(each.samples, 1.0, self.bins)
                frames = standardise(mel, self.level)
                found = word_cuts(model, self.tokenizer, frames, mel, target)
                if len(found) == len(each.text.split()) + 1:
                    self.cuts[-1][number] = found

    def _some_words(self, file: int, number: int, draw: random.Random) -> Spoken:
        """Make one example of some words in a row of a recording."""
        settings = self.recipe.augmentation
        cuts, words = self.cuts[file][number], self.files[file][number].text.split()
        count = min(draw.randint(1, settings.cut_words), len(words))
        first = draw.randint(0, len(words) - count)
        speed = draw.randrange(len(settings.speeds))
        begin, end = (round(cuts[at] / settings.speeds[speed]) for at in (first, first + count))
        mel = self.energies[file][number][speed][max(0, begin - draw.randint(0, LOOSE)) :]
        mel = mel[: max(2, end - begin + draw.randint(0, LOOSE))]
        target = self.tokenizer.encode(" ".join(words[first : first + count]))
        return Spoken(vary(mel, settings, draw, self.level), target)

    def _joined(self, file: int, numbers: Sequence[int], draw: random.Random) -> Spoken:
        """Make one example of recordings said one after the other, or of some words of one."""
        settings = self.recipe.augmentation
        known = self.cuts[file][numbers[0]] if self.cuts and len(numbers) == 1 else []
        if known and draw.random() < settings.cut:
            return self._some_words(file, numbers[0], draw)
        speed = draw.randrange(len(settings.speeds))
        parts = [self.energies[file][number][speed] for number in numbers]
        if len(parts) > 1 or draw.random() < 0.5:
            most = settings.silence
            parts = [lengthen(part, len(part) + draw.randint(0, most), draw) for part in parts]
        source = vary(torch.cat(parts), settings, draw, self.level)
        return Spoken(source, list(chain.from_iterable(self.targets[file][n] for n in numbers)))

    def plan(self, examples: list[Any], seed: int) -> list[np.ndarray]:
        """Group by length, as plan_speech does."""
        return plan_speech(examples, self.recipe.training.batch_frames, seed)

    def batch(self, examples: list[Any]) -> Batch:
        """Make one batch of recordings of one length: shorter ones get quiet frames around them.

        So nothing has to be packed, which is slow, and pauses are learnt.
        """
        longest = max(len(each.source) for each in examples)
        draw = random.Random(longest)
        filled = [each._replace(source=lengthen(each.source, longest, draw)) for each in examples]
        return collate_speech(filled)

    def loss(self, model: Seq2Seq) -> float:
        """Return the loss on valid."""
        return speech_loss(model, self.valid_examples)

    def score(self, checkpoint: Checkpoint, loss: float) -> tuple[float, dict[str, float]]:
        """Choose by the mean word error rate of the files, and where that is equal by the loss."""
        scores = evaluate_speech(checkpoint, self.valid, Options(method="greedy"))["by_corpus"]
        rates = {name: each["word_error_rate"] for name, each in scores.items()}
        logged = {f"valid_wer_greedy_{name}": rate for name, rate in rates.items()}
        return sum(rates.values()) / len(rates) + loss / 1_000, logged
