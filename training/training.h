#pragma once

/// What a training loop needs and an optimizer is not: Trainer, metrics, stopping rules, accumulation,
/// evaluation, checkpoints, progress, logs. It is not part of <xtgrad/xtgrad.h>.

#include "xtgrad/training/accumulation.h"
#include "xtgrad/training/accuracy.h"
#include "xtgrad/training/batch_loss.h"
#include "xtgrad/training/callback.h"
#include "xtgrad/training/checkpoint.h"
#include "xtgrad/training/checkpoints.h"
#include "xtgrad/training/confusion_matrix.h"
#include "xtgrad/training/convergence.h"
#include "xtgrad/training/early_stopping.h"
#include "xtgrad/training/environment.h"
#include "xtgrad/training/evaluate.h"
#include "xtgrad/training/fingerprint.h"
#include "xtgrad/training/history.h"
#include "xtgrad/training/interrupt.h"
#include "xtgrad/training/leftovers.h"
#include "xtgrad/training/loss.h"
#include "xtgrad/training/metric.h"
#include "xtgrad/training/named_value.h"
#include "xtgrad/training/progress.h"
#include "xtgrad/training/records.h"
#include "xtgrad/training/row_log.h"
#include "xtgrad/training/stopping_rule.h"
#include "xtgrad/training/tensorboard.h"
#include "xtgrad/training/trainer.h"
