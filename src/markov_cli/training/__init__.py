"""Text to a model file: in memory, on disk, or on a Dask cluster.

`plan` chooses among them; all give the same bytes, with every option. The steps are the same over different stores:

    read      texts to provisional numbers           reading; parts of a text with vocabularies of their own: parts
    number    types to ids                           text.sequences; larger than memory: vocabulary_parts
    count     windows to sorted runs, runs to rows   counting.ngrams in memory; counting.external_sort on disk, on Dask
              with weights, by sequences, by files   counting.measures: one more column of counts, added up like them
              the windows of an old model            old_model: more runs
    join      left neighbours, links                 counting.suffixes in memory; model.disk_table
    leave out rare n-grams, other types, markers     model.building in memory; model.disk_pruning: a bit for each row
    guard     hashes of longer runs                  model.fingerprints in memory; model.disk_guard
    write     the file                               model.model_file; model.disk_file

May import: errors, arrays, text, counting, model.
"""
