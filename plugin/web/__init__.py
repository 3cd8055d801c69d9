"""The web service: routes that translate HTTP and no more. The only package that imports Flask."""
