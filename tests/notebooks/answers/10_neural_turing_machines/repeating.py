# %% right: as in the chapter
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length)]
    one_round = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, Orders(), *one_round * repeats]


# %% right: the head moves on after writing, not before, and the reader follows the writer
def repeating(length, repeats):
    program = []
    for i in range(length):
        step = Move(shift=0 if i == 0 else 1)
        program.append(Orders(write=step, read=step, put=True, mark=i == 0))
    program.append(Orders(read=Move(look=True)))
    for _ in range(repeats):
        for i in range(length):
            program.append(Orders(read=Move(look=True) if i == 0 else Move(shift=1)))
    return program


# %% right: back by steps, not by a look, where a round is short: the marker one row ahead of the first vector
def repeating(length, repeats):
    program = [Orders(write=Move(shift=0), put=True, mark=True)]
    program += [Orders(write=Move(shift=1), put=True)] * (length - 1)
    program += [Orders(read=Move(look=True, shift=-1))]
    for round_ in range(repeats):
        first = Move(shift=1) if round_ == 0 else Move(look=True)
        program += [Orders(read=first)] + [Orders(read=Move(shift=1))] * (length - 1)
    return tuple(program)


# %% right: the marker is in the last vector, one look and one step on is not the first; so the tape runs backwards
def repeating(length, repeats):
    program = [Orders(write=Move(shift=-1 if i else 0), put=True, mark=i == 0) for i in range(length)]
    program.append(Orders())
    for _ in range(repeats):
        program += [Orders(read=Move(look=i == 0, shift=-1 if i else 0)) for i in range(length)]
    return program


# %% wrong: the reader runs on into empty rows after the first round | takes it back
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True) for i in range(length)]
    answers = [Orders(read=Move(shift=min(i, 1))) for i in range(length * repeats)]
    return [*shown, Orders(), *answers]


# %% wrong: it looks, and nothing was marked | takes it back
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True) for i in range(length)]
    first = [Orders(read=Move(shift=min(i, 1))) for i in range(length)]
    again = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, Orders(), *first, *again * (repeats - 1)]


# %% wrong: every vector is marked | wrong
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=True) for i in range(length)]
    one_round = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, Orders(), *one_round * repeats]


# %% wrong: the writing head never moves | rows of their own
def repeating(length, repeats):
    shown = [Orders(put=True, mark=i == 0) for i in range(length)]
    one_round = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, Orders(), *one_round * repeats]


# %% wrong: it looks and shifts on at the first answer | where the first one is
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length)]
    one_round = [Orders(read=Move(look=i == 0, shift=1)) for i in range(length)]
    return [*shown, Orders(), *one_round * repeats]


# %% wrong: it puts the sign of the end as well | there are no bits after the input
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length + 1)]
    one_round = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, *one_round * repeats]


# %% wrong: the step of the sign is forgotten | steps (input, sign, answers)
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length)]
    one_round = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, *one_round * repeats]


# %% wrong: one round only | steps (input, sign, answers)
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length)]
    one_round = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, Orders(), *one_round]


# %% wrong: a look in every step | wrong
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length)]
    one_round = [Orders(read=Move(look=True, shift=min(i, 1))) for i in range(length)]
    return [*shown, Orders(), *one_round * repeats]


# %% wrong: the marker is put without the bits | rows of their own
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=i > 0, mark=i == 0) for i in range(length)]
    one_round = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, Orders(), *one_round * repeats]


# %% wrong: tuples in the place of Orders | every entry is an Orders
def repeating(length, repeats):
    return [(Move(), Move(), False, False)] * (length + 1 + length * repeats)


# %% wrong: nothing is returned | expected a list of Orders
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length)]


# %% right: every round ends with the look of the next, the reader waits at the first row
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=int(i > 0)), put=True, mark=not i) for i in range(length)]
    answers = [
        Orders(read=Move(look=not n % length, shift=int(n % length > 0))) for n in range(length * repeats)
    ]
    return shown + [Orders()] + answers


# %% wrong: it answers from the step of the sign on, one step too early | where the first one is
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length)]
    one_round = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, *one_round * repeats, Orders()]


# %% wrong: the last vector is marked, and the row after it taken for the first | takes it back
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == length - 1) for i in range(length)]
    first = [Orders(read=Move(shift=min(i, 1))) for i in range(length)]
    again = [Orders(read=Move(look=i == 0, shift=1)) for i in range(length)]
    return [*shown, Orders(), *first, *again * (repeats - 1)]


# %% wrong: the marker comes with the sign, where nothing is put | takes it back
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True) for i in range(length)]
    first = [Orders(read=Move(shift=min(i, 1))) for i in range(length)]
    again = [Orders(read=Move(look=i == 0, shift=min(i, 1))) for i in range(length)]
    return [*shown, Orders(mark=True), *first, *again * (repeats - 1)]


# %% wrong: back to the first row in one shift | one row in a step
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True) for i in range(length)]
    first = [Orders(read=Move(shift=min(i, 1))) for i in range(length)]
    again = [Orders(read=Move(shift=1 if i else 1 - length)) for i in range(length)]
    return [*shown, Orders(), *first, *again * (repeats - 1)]


# %% wrong: numbers in the place of moves | every move is a Move
def repeating(length, repeats):
    shown = [Orders(write=min(i, 1), put=True) for i in range(length)]
    return [*shown, Orders(), *[Orders(read=1)] * (length * repeats)]


# %% wrong: the bits are shown, and nothing is put | marks but does not put
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), mark=i == 0) for i in range(length)]
    return [*shown, Orders(), *[Orders(read=Move(i == 0, min(i, 1))) for i in range(length)] * repeats]


# %% wrong: forth in the first round, back in the second | takes it back
def repeating(length, repeats):
    shown = [Orders(write=Move(shift=min(i, 1)), put=True, mark=i == 0) for i in range(length)]
    one_round = lambda r: [Orders(read=Move(shift=(-1) ** r * min(i, 1))) for i in range(length)]
    look = [Orders(read=Move(look=True))]
    return [*shown, Orders(), *look, *[orders for r in range(repeats) for orders in one_round(r)][1:]]


# %% right: the first vector goes to row 1, and the marker with it
def repeating(length, repeats):
    shown = [Orders(Move(shift=1), put=True, mark=i == 0) for i in range(length)]
    return [*shown, Orders(), *[Orders(read=Move(i == 0, min(i, 1))) for i in range(length)] * repeats]
