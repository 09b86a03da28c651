"""What a body is: Markdown, slugs, front matter; knows nothing of the rest of Plaza."""
