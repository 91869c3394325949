"""Templates whose constant text is put together once.

What a page says in one language is mostly the same for everybody: text, translations, addresses of our own pages and
static files. Neighbouring nodes of these kinds are folded into one when a template is loaded, which renders them once
per language. Whatever looks at the context stays as it is. Addresses count as constant because the portal is served
under one prefix and by one urlconf as long as a process lives.

What depends on a few values besides, and on nothing else, says so: `{% same_for step %}…{% endsame_for %}` is rendered
once for each of their combinations. The values are compared, so they must be hashable.
"""

from typing import Any

from django.template import Library, Node, NodeList, Template
from django.template.base import FilterExpression, Parser, TextNode, Token, Variable
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.loaders import base, cached
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.templatetags.static import StaticNode
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = Library()

# As many combinations of values as one place of a template remembers before it begins anew.
REMEMBERED = 64


class ConstantNode(Node):
    """Nodes that render to the same text whenever the language is the same."""

    child_nodelists = ()

    def __init__(self, nodes: list[Node]) -> None:
        self.nodelist = NodeList(nodes)
        self.rendered: dict[object, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """The text of all nodes, from memory if it was needed before."""
        key = get_language(), context.autoescape
        text = self.rendered.get(key)
        if text is None:
            text = self.rendered[key] = self.nodelist.render(context)
        return text


class SameForNode(Node):
    """Nodes that render to the same text whenever the language and the values are the same."""

    def __init__(self, values: list[FilterExpression], nodes: NodeList) -> None:
        self.values = values
        self.nodelist = nodes
        self.rendered: dict[object, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """The text for these values, from memory if it was needed before."""
        values = [value.resolve(context, ignore_failures=True) for value in self.values]
        # With its type: text that is safe is not the same as text that must be escaped, nor 1 the same as True.
        key = get_language(), context.autoescape, *((type(value), value) for value in values)
        text = self.rendered.get(key)
        if text is None:
            if len(self.rendered) >= REMEMBERED:
                self.rendered.clear()
            text = self.rendered[key] = self.nodelist.render(context)
        return text


@register.tag
def same_for(parser: Parser, token: Token) -> SameForNode:
    """`{% same_for value … %}`: what is inside depends on the language and these values only."""
    values = [parser.compile_filter(value) for value in token.split_contents()[1:]]
    nodes = parser.parse(["endsame_for"])
    parser.delete_first_token()
    return SameForNode(values, nodes)


class _Folding(base.Loader):
    def get_template(self, template_name: str, skip: Any = None) -> Template:
        template = super().get_template(template_name, skip)
        fold(template.nodelist)
        return template


class Loader(cached.Loader, _Folding):
    """Django's cached loader; what it caches is folded."""


def fold(nodes: NodeList) -> None:
    """Fold runs of constant nodes in this list and all lists below it, in place."""
    folded: list[Node] = []
    run: list[Node] = []
    for node in [*nodes, None]:
        if node is not None and is_constant(node):
            run.append(node)
            continue
        folded += run if len(run) < 2 and all(isinstance(one, TextNode) for one in run) else [ConstantNode(run)]
        run = []
        if node is not None:
            folded.append(node)
            _fold_below(node)
    nodes[:] = folded


def is_constant(node: Node) -> bool:
    """Whether the node's text depends on nothing but the language."""
    match node:
        case TextNode():
            return True
        case TranslateNode():
            return not (node.asvar or node.message_context) and _is_literal(node.filter_expression)
        case BlockTranslateNode():
            more = (node.extra_context, node.plural, node.message_context, node.asvar)
            return not any(more) and not node.render_token_list(node.singular)[1]
        case URLNode():
            return not (node.args or node.kwargs or node.asvar) and _is_literal(node.view_name)
        case StaticNode():
            return node.varname is None and _is_literal(node.path)
    return False


def _is_literal(expression: FilterExpression) -> bool:
    value = expression.var
    return not expression.filters and (not isinstance(value, Variable) or value.lookups is None)


def _fold_below(node: Node) -> None:
    for name in node.child_nodelists:
        if isinstance(below := getattr(node, name, None), NodeList):
            fold(below)
    for _condition, below in getattr(node, "conditions_nodelists", ()):
        fold(below)
