# %% right: as in the chapter
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    within_bank = tau2 * (1 / n_way - 1 / n_classes) + omega2
    return tau2 / n_classes + within_bank / n_episodes


# %% right: from the covariance of two episodes, which share N * N / C classes on average
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    one = tau2 / n_way + omega2
    shared = n_way * n_way / n_classes * tau2 / n_way**2
    return (one + (n_episodes - 1) * shared) / n_episodes


# %% right: with the correction for a finite population written as (C - N) / C
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    sampling = tau2 / n_way * (n_classes - n_way) / n_classes
    return tau2 / n_classes + sampling / n_episodes + omega2 / n_episodes


# %% wrong: every episode has fresh classes, as the formula of step 2 has it | only the noise
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    return (tau2 / n_way + omega2) / n_episodes


# %% wrong: the drawing of classes is forgotten; only bank and noise vary | one episode
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    return tau2 / n_classes + omega2 / n_episodes


# %% wrong: classes drawn with replacement, so that one episode varies too much | one episode
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    return tau2 / n_classes + (tau2 / n_way + omega2) / n_episodes


# %% wrong: the bank is counted once for each of its classes in an episode | one episode
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    return tau2 * n_way / n_classes + (tau2 * (1 / n_way - 1 / n_classes) + omega2) / n_episodes


# %% wrong: the correction for a finite population of known variance, (C - N) / (C - 1) | you say
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    correction = (n_classes - n_way) / (n_classes - 1)
    return tau2 / n_classes + (tau2 / n_way * correction + omega2) / n_episodes


# %% wrong: the noise does not fall with the episodes | only the noise is averaged
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    return tau2 / n_classes + tau2 * (1 / n_way - 1 / n_classes) / n_episodes + omega2


# %% wrong: the variance as if the classes met were all different until they run out | simulated
def variance_of_mean(tau2, omega2, n_way, n_classes, n_episodes):
    return tau2 / min(n_way * n_episodes, n_classes) + omega2 / n_episodes
