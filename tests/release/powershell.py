"""Reads a script by the grammar of PowerShell: powershell.py FILE. Ends with 1, and says where, if it is none."""

import sys

import tree_sitter
import tree_sitter_powershell

text = open(sys.argv[1], "rb").read()
parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
waiting, faults = [parser.parse(text).root_node], []
while waiting:
    node = waiting.pop()
    if node.is_error or node.is_missing:
        faults.append(node.start_point[0] + 1)
    waiting.extend(node.children)
for line in sorted(set(faults)):
    print("%s:%d: this is not PowerShell" % (sys.argv[1], line))
sys.exit(1 if faults or not text.strip() else 0)
