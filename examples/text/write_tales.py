#!/usr/bin/env python3
"""Writes tales.txt, a text to learn from: write_tales.py > tales.txt

A tale is drawn from the grammar below. [rule] is one of the rule's lines, each as likely as the others; [rule:x] is kept as x, and [x]
then says it again. A line that is kept is not drawn a second time in the tale: the fox meets no other fox.
At the end it says on stderr how many bits a character of the text is worth to who knows the grammar.
"""
import math
import random
import re
import sys

GRAMMAR = {
    "tale": """
        [opening] [loss] [search] [finding] [ending]
        [opening] [loss] [search] [search] [finding] [ending]
        [opening] [weather] [loss] [search] [finding] [weather] [ending]
        [opening] [visit] [talk] [ending]
        [opening] [weather] [visit] [talk] [talk] [ending]""",
    "opening": """
        Once a [adjective] [animal:a] named [name:n] lived [place:p]. [Owning]
        [place:p|capital] there lived a [adjective] [animal:a], and its name was [name:n]. [Owning]
        Do you know the [animal:a] [name:n], who was [adjective] and lived [place:p]? [Owning]""",
    "Owning": """
        [n] had a [colour:c] [thing:t].
        [n] owned nothing but a [colour:c] [thing:t].
        In its house there was a [colour:c] [thing:t], which [n] liked more than [dish].""",
    "loss": """
        One [hour] the [t] was gone.
        But one [hour] [n] could not find the [c] [t].
        One [hour] the wind came and took the [t] away.""",
    "search": """
        "Who has seen my [t]?" asked [n]. "Not I," said the [animal:o]. [Went]
        [n] looked [spot], but there was no [t]. [Went]
        [n] went to the [animal:o] and asked for the [t], but the [o] only [deed].
        The [animal:o] came and said: "Is it [c]? Then look [spot]!" [Went]""",
    "Went": """
        So the [a] went on.
        So [n] sat down and [deed].
        So [n] walked for [number] days.
        The [a] thanked and went away.""",
    "finding": """
        At last the [a] found the [c] [t] [spot].
        At last the [animal:f] brought the [t] back, and [n] gave the [f] [number] [food].
        And where was the [t]? The [animal:f] had it! "I only wanted to see it," said the [f].""",
    "weather": """
        It was [season], and [sky].
        [sky|capital], for it was [season].""",
    "visit": """
        One [hour] a [adjective] [animal:o] came to [n] and brought [number] [food].
        One [hour] [n] met a [animal:o] [spot].
        One [hour] a [animal:o] knocked at the door. "Come in," said the [a].""",
    "talk": """
        "What a [c] [t] you have!" said the [o]. "I would give [number] [food] for it."
        "What do you eat [place]?" asked the [o]. "We eat [food] and [dish]," said [n].
        The [o] and the [a] sat down [spot] and ate [dish].
        "Do you know who lives [place]?" asked the [a]. "A [animal] with [number] children," said the [o].
        Then the [o] [deed], and [n] [deed], too.""",
    "ending": """
        And [n] [deed] until the [hour].
        And the [a] was never [adjective] again.
        If [n] has not moved, the [a] still lives [p].
        And from that [hour] on the [a] and the [animal:z] were friends.""",
    "animal": "fox|hare|owl|bear|mouse|goose|badger|toad|wolf|hedgehog|squirrel|raven|cat|goat",
    "name": "Anton|Bella|Cosima|Dorian|Emil|Frida|Gustav|Hilda|Ivo|Jolanda|Konrad|Lotte|Mirko|Nora|Oskar|Paula",
    "adjective": "small|clever|lazy|hungry|gentle|proud|curious|sleepy|brave|sad|merry|grumpy",
    "colour": "red|blue|green|yellow|white|black|golden|brown",
    "thing": "hat|drum|lamp|spoon|kite|bell|boot|book|bucket|ring|flute|basket",
    "place": "by the sea|under the hill|in the old mill|behind the moon|at the edge of the wood|near the river"
             "|in a hollow oak|on an island|between two stones",
    "spot": "under the bed|in the well|behind the stove|on the roof|in the tall grass|beneath a stone|in the attic"
            "|beside the gate|in the snow",
    "hour": "morning|evening|day|night|noon",
    "season": "spring|summer|autumn|winter",
    "sky": "the sun shone|rain fell on the roofs|the clouds hung low|the stars were out|the leaves were turning"
           "|a cold wind blew",
    "deed": "laughed|wept|sang|slept|danced|sighed|sneezed|smiled|said nothing|hummed a song",
    "food": "apples|nuts|plums|onions|pears|turnips|cherries|carrots",
    "dish": "soup|bread and butter|porridge|pancakes|honey cake|cheese",
    "number": "two|three|four|five|six|seven|nine|ten|a hundred",
}
RULES = {rule: [line.strip() for line in re.split(r"\n" if "\n" in lines else r"\|", lines) if line.strip()]
         for rule, lines in GRAMMAR.items()}


class Tale:
    def __init__(self, draw):
        self.draw, self.kept, self.bits = draw, {}, 0.0

    def expand(self, rule):
        lines = [line for line in RULES[rule] if line not in self.kept.values()]
        self.bits += math.log2(len(lines))
        return re.sub(r"\[([A-Za-z]+)(?::(\w))?(\|capital)?\]", self.part, self.draw.choice(lines))

    def part(self, found):
        rule, key, capital = found.groups()
        if rule in self.kept:
            text = self.kept[rule]
        else:
            text = self.expand(rule)
            if key:
                self.kept[key] = text
        return text[0].upper() + text[1:] if capital else text


def main():
    draw, length, bits = random.Random(1), 0, 0.0
    while length < 48_000:
        tale = Tale(draw)
        text = re.sub(r"\ba (?=owl)", "an ", tale.expand("tale")) + "\n"
        sys.stdout.write(text)
        length, bits = length + len(text), bits + tale.bits
    print(f"{length} characters, {bits / length:.3f} bits a character", file=sys.stderr)


main()
