//! What AWS and the native binary are told beside the broker's own configuration.

/// Where records are kept and what is logged. Each field names its variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `VESTIBULE_TABLE`: the name of the table. Default `vestibule`.
    pub table: String,
    /// `VESTIBULE_DYNAMODB_ENDPOINT`: a DynamoDB other than the region's own, such as `http://127.0.0.1:8000`.
    pub dynamodb_endpoint: Option<String>,
    /// `VESTIBULE_QUEUE_URL`: the queue of the Lambda functions' tasks. The native binary has none.
    pub queue_url: Option<String>,
    /// `VESTIBULE_OTLP_ENDPOINT`: a collector of traces and metrics, such as `http://127.0.0.1:4318`. Without it nothing is
    /// measured.
    pub otlp_endpoint: Option<String>,
    /// `VESTIBULE_LOG`: a filter such as `info` or `vestibule_core=debug,warn`. Default `info`.
    pub log: String,
}

impl Settings {
    /// Reads the settings; each has a default.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| var(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        Self {
            table: read("VESTIBULE_TABLE").unwrap_or_else(|| "vestibule".to_owned()),
            dynamodb_endpoint: read("VESTIBULE_DYNAMODB_ENDPOINT"),
            queue_url: read("VESTIBULE_QUEUE_URL"),
            otlp_endpoint: read("VESTIBULE_OTLP_ENDPOINT"),
            log: read("VESTIBULE_LOG").unwrap_or_else(|| "info".to_owned()),
        }
    }
}

/// A variable of the environment; `None` when it is not set or not Unicode.
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_an_unset_one() {
        let read = Settings::from_vars(|name| (name == "VESTIBULE_TABLE").then(|| " ".to_owned()));
        assert_eq!(read, Settings::from_vars(|_| None));
        assert_eq!(read.table, "vestibule");
        assert_eq!(read.log, "info");
    }
}
