//! Builds again when the schema or the recorded statements change.

fn main() {
    println!("cargo:rerun-if-changed=src/store/migrations");
    println!("cargo:rerun-if-changed=.sqlx");
}
