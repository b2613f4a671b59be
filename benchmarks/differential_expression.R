# One fit and four contrasts with an R package, for benchmarks/differential_expression.py.
#   Rscript differential_expression.R versions
#   Rscript differential_expression.R <DESeq2|edgeR|limma> <folder with counts.i32 and samples.tsv>
arguments <- commandArgs(trailingOnly = TRUE)
levels_of_condition <- c("HC", "SLE", "pSS", "SSc", "DM")
diseases <- levels_of_condition[-1]

read_cohort <- function(folder) {
  samples <- read.delim(file.path(folder, "samples.tsv"), row.names = "sample")
  samples$batch <- factor(samples$batch)
  samples$sex <- factor(samples$sex)
  samples$condition <- factor(samples$condition, levels_of_condition)
  file <- file.path(folder, "counts.i32")
  values <- readBin(file, "integer", n = file.size(file) / 4, size = 4)
  counts <- matrix(values, ncol = nrow(samples), byrow = TRUE)
  dimnames(counts) <- list(paste0("g", seq_len(nrow(counts))), rownames(samples))
  list(counts = counts, samples = samples)
}

table_of <- function(disease, genes, base_mean, lfc, stat, padj) {
  data.frame(
    contrast = paste0(disease, "_vs_HC"), gene = genes, baseMean = base_mean,
    log2FoldChange = lfc, stat = stat, padj = padj
  )
}

run_DESeq2 <- function(cohort) {
  suppressPackageStartupMessages(library(DESeq2))
  dataset <- DESeqDataSetFromMatrix(cohort$counts, cohort$samples, ~ batch + sex + condition)
  dataset <- DESeq(dataset, quiet = TRUE)
  lapply(diseases, function(disease) {
    result <- results(dataset, contrast = c("condition", disease, "HC"), alpha = 0.05)
    table_of(disease, rownames(result), result$baseMean, result$log2FoldChange, result$stat, result$padj)
  })
}

run_edgeR <- function(cohort) {
  suppressPackageStartupMessages(library(edgeR))
  design <- model.matrix(~ batch + sex + condition, cohort$samples)
  data <- calcNormFactors(DGEList(cohort$counts))
  data <- estimateDisp(data, design)
  fit <- glmQLFit(data, design)
  lapply(diseases, function(disease) {
    result <- glmQLFTest(fit, coef = paste0("condition", disease))$table
    table_of(disease, rownames(result), NA, result$logFC, result$F, p.adjust(result$PValue, "BH"))
  })
}

run_limma <- function(cohort) {
  suppressPackageStartupMessages(library(edgeR))
  design <- model.matrix(~ batch + sex + condition, cohort$samples)
  fit <- eBayes(lmFit(voom(calcNormFactors(DGEList(cohort$counts)), design), design))
  lapply(diseases, function(disease) {
    result <- topTable(fit, coef = paste0("condition", disease), number = Inf, sort.by = "none")
    table_of(disease, rownames(result), NA, result$logFC, result$t, result$adj.P.Val)
  })
}

if (arguments[1] == "versions") {
  cat("R\t", as.character(getRversion()), "\n", sep = "")
  for (package in c("DESeq2", "edgeR", "limma")) {
    if (requireNamespace(package, quietly = TRUE)) {
      cat(package, "\t", as.character(packageVersion(package)), "\n", sep = "")
    }
  }
} else {
  engines <- list(DESeq2 = run_DESeq2, edgeR = run_edgeR, limma = run_limma)
  results <- do.call(rbind, engines[[arguments[1]]](read_cohort(arguments[2])))
  write.table(results, file.path(arguments[2], "results.tsv"), sep = "\t", quote = FALSE, row.names = FALSE)
}
