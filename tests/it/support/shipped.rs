use std::path::Path;

use xunjian::settings::Settings;

/// Settings with every file as shipped, that keep all in a folder and answer at any free port.
pub(crate) fn shipped(folder: &Path) -> Settings {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut settings = Settings {
        data_dir: folder.join("data"),
        platforms_dir: config.join("platforms"),
        schemes_dir: config.join("schemes"),
        indices_dir: config.join("indices"),
        calendar_dir: config.join("calendar"),
        rules_dir: config.join("rules"),
        imports_dir: config.join("imports"),
        ..Settings::default()
    };
    settings.http.listen = "127.0.0.1:0".parse().unwrap();
    settings
}
