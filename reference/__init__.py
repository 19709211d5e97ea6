"""The reference package of the course: every approach twice, once in NumPy, once in PyTorch.

A few-shot learner is a function from a support set to a predictor. Every approach here is one way
to build that function, and meta-learning is learning its parameters from many tasks:

    adapt(params, support) -> predict          predict(query_x) -> scores

The map, from the ground up (a file imports only what stands below it):

    figures, plotting, widgets      what a chapter looks at; checks: what it is checked with
    scratch/<approach>              the approaches in NumPy, on our own differentiation engine
    pytorch/<approach>              the same approaches in PyTorch, under the same file names
    scratch/{unroll, batches}       steps that can be differentiated; many tasks at once; pytorch/ likewise
    scratch/nn, pytorch/nn          networks, losses, distances, LSTMs and their like; modules as functions
    scratch/autodiff                reverse mode, differentiable to any order
    pytorch/machine                 arrays to tensors and back, checkpoints, speed
    meta_train                      the outer loop, the same for both sides
    rules                           how a gradient becomes a step, inside and outside: sgd, adam
    params                          parameters: a dict of arrays, and several in one
    tasks                           what is learned from: glyphs, Omniglot, digits, task families, pairs
    baselines                       what every learner must beat: raw pixels, nearest mean
    evaluation                      mean, 95 % interval, paired comparison
    verification                    are two of one class: ROC, its area, equal error rate
    results                         what long runs leave behind; read by select
    progress                        the one progress bar
    episodes                        Examples, Episode, Series, the protocols, and what is asked of labels

Importing `reference` imports nothing else.
"""
