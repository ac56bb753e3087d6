//! [`Lang`]: the languages in which a trace is narrated.

/// The language in which a trace is narrated.
///
/// ```
/// use squall::trace::Lang;
///
/// assert_eq!(Lang::of_locale("zh_CN.UTF-8"), Lang::Zh);
/// assert_eq!(Lang::of_locale("C"), Lang::En);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

impl Lang {
    /// All languages, in the order in which texts are kept.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// Returns the language of a locale, such as the value of `LANG`. It is English for a locale that is not known.
    pub fn of_locale(locale: &str) -> Self {
        match locale.get(..2) {
            Some(code) if code.eq_ignore_ascii_case("zh") => Self::Zh,
            _ => Self::En,
        }
    }

    /// Returns the tag of the language: `en`, `zh`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_a_language() {
        for (locale, lang) in [
            ("zh_CN.UTF-8", Lang::Zh),
            ("zh-Hans", Lang::Zh),
            ("ZH", Lang::Zh),
            ("en_US", Lang::En),
            ("", Lang::En),
            ("中", Lang::En),
        ] {
            assert_eq!(Lang::of_locale(locale), lang, "{locale}");
        }
    }
}
