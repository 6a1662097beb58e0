//! The catalogue of measures as a document.

use std::fmt::Write;

use crate::scheme::IndexCatalog;

use super::catalogue::{MEASURES, Measure};

/// The catalogue as Markdown: what `docs/measures.md` holds.
pub fn measures_document(indices: &IndexCatalog) -> String {
    let mut text = String::from(
        "# 指标目录\n\n评分方案可用的全部指标。本文由 `xunjian scheme measures` 生成,测试保证与程序一致。\n\n\
         每个指标按(评价时段、截止时间、已知时间)计算,给出数值和上下限,或者说明为何不可知;不可知从不作 0。\n\n\
         | 名称 | 标题 | 单位 | 定义 | 来源 | 何时不可知或只有上下限 |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for measure in MEASURES {
        let Measure { id, title, unit, definition, source, undetermined, .. } = measure;
        let _ = writeln!(
            text,
            "| `{id}` | {title} | {unit} | {definition} | {source} | {undetermined} |"
        );
    }
    text.push_str(
        "\n## 指数公式\n\n按公布的公式自行计算,不是发布机构的公布值;版本和指标集一并标明,不同版本之间不得比较。\n\n\
         | 名称 | 指数、版本(指标集) | 来源 | 确定程度 |\n| --- | --- | --- | --- |\n",
    );
    for formula in indices.iter() {
        let (id, key, source) = (&formula.id, formula.key(), &formula.source);
        let warning = formula.warning.as_deref().map(|why| format!(";{why}")).unwrap_or_default();
        let certainty = formula.certainty.title();
        let _ = writeln!(text, "| `{id}` | {key} | {source} | {certainty}{warning} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_of_measures_is_fresh() {
        let files = [
            include_str!("../../config/indices/bci_qingbo.toml"),
            include_str!("../../config/indices/dci.toml"),
            include_str!("../../config/indices/wci_14_2_3m.toml"),
        ]
        .map(|text| crate::domain::SourceText { file: "x".to_owned(), text: text.to_owned() });
        let indices = IndexCatalog::compile(&files).unwrap();
        let written = include_str!("../../docs/measures.md");
        let fresh = measures_document(&indices);
        assert_eq!(written, fresh, "renew it: xunjian scheme measures > docs/measures.md");
    }
}
