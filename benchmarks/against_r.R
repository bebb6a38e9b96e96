# The same selection in R: cv.glmnet on a sparse matrix, step(glm), stepAIC(glm.nb).
# Arguments: folder with design.csv (row, column), counts.csv (count, fold), lambdas.csv; "nb" or "no-nb".
suppressMessages({library(Matrix); library(glmnet); library(MASS)})
arguments <- commandArgs(TRUE)
folder <- arguments[1]
marks <- read.csv(file.path(folder, "design.csv"))
rows <- read.csv(file.path(folder, "counts.csv"))
lambdas <- read.csv(file.path(folder, "lambdas.csv"))$lambda
x <- sparseMatrix(marks$row, marks$column, x = 1, dims = c(nrow(rows), max(marks$column)))
y <- rows$count
seconds <- function(work) { gc(); as.numeric(system.time(work)["elapsed"]) }
told <- list()
told$cv <- seconds(cv <- cv.glmnet(x, y, family = "poisson", alpha = .5, foldid = rows$fold, lower.limits = 0))
told$cv_exact <- seconds(exact <- cv.glmnet(x, y, family = "poisson", alpha = .5, foldid = rows$fold,
  lower.limits = 0, lambda = lambdas, thresh = 1e-13))
write.csv(data.frame(lambda = exact$lambda, cvm = exact$cvm, as.matrix(t(coef(exact$glmnet.fit)))),
  file.path(folder, "exact.csv"), row.names = FALSE)
kept <- which(as.numeric(coef(cv, s = "lambda.min"))[-1] > 0)
frame <- data.frame(y = y, as.matrix(x[, kept]))
names(frame) <- c("y", paste0("x", kept))
scope <- as.formula(paste("~", paste0("x", kept, collapse = "+")))
k <- log(length(y))
null <- glm(y ~ 1, poisson, frame)
told$poisson <- seconds(best <- step(null, list(lower = ~1, upper = scope), direction = "both", k = k, trace = 0))
told$poisson_bic <- BIC(best)
told$poisson_terms <- length(coef(best)) - 1
if (arguments[2] == "nb") {
  start <- glm.nb(y ~ 1, frame)
  told$nb <- seconds(best <- suppressWarnings(stepAIC(start, list(lower = ~1, upper = scope),
    direction = "both", k = k, trace = 0)))
  told$nb_bic <- BIC(best)
  told$nb_terms <- length(coef(best)) - 1
}
told$kept <- length(kept)
cat(paste0("{", paste0('"', names(told), '": ', format(unlist(told), digits = 12, trim = TRUE), collapse = ", "), "}\n"))
