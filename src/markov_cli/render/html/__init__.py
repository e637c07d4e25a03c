"""Results as HTML pages, one file each, with pictures in SVG.

`markup` escapes, `page` is the frame with its policy, `blocks` and `svg` are the parts, and the others build pages of
them. Styles and scripts are files of their own here.
"""
