"""`hostgate comment`: the diff as one Markdown comment for a pull or merge request."""

import click

from hostgate.cli.diff_command import ComparisonRequest, end, make_review, review_options


@click.command()
@click.option(
    "--forge",
    type=click.Choice(["github", "gitlab"]),
    default="github",
    show_default=True,
    help="Whose limit of length holds.",
)
@click.option("--name", metavar="TEXT", help="What the comment is about; PROJECT/STACK unless given.")
@click.option("--marker", "only_marker", is_flag=True, help="Print the comment's first line only, by which to find it.")
@review_options
def command(asked: ComparisonRequest, forge: str, name: str | None, only_marker: bool) -> None:
    """Print one Markdown comment about what changes from BASE to HEAD. Exit codes are those of `hostgate diff`."""
    from hostgate.review.comment import comment, marker

    review = make_review(asked, name)
    if only_marker:
        click.echo(marker(review.subject))
        return
    click.echo(comment(review, forge), nl=False)
    end(review)
