use super::*;

fn is(text: &str, canonical: &str) {
    assert_eq!(canonicalize(text, &[], false).unwrap(), canonical, "{text}");
}

#[test]
fn namespaces_are_declared_where_they_are_used() {
    is("<a xmlns='u' xmlns:b='v'><c/></a>", r#"<a xmlns="u"><c></c></a>"#);
    is("<a xmlns:b='v'><b:c b:d='1'/></a>", r#"<a><b:c xmlns:b="v" b:d="1"></b:c></a>"#);
    is("<b:a xmlns:b='v'><b:c xmlns:b='v'/></b:a>", r#"<b:a xmlns:b="v"><b:c></b:c></b:a>"#);
    is(
        "<b:a xmlns:b='v'><b:c xmlns:b='w'/><b:d/></b:a>",
        r#"<b:a xmlns:b="v"><b:c xmlns:b="w"></b:c><b:d></b:d></b:a>"#,
    );
    is("<a xmlns='u'><b xmlns=''/></a>", r#"<a xmlns="u"><b xmlns=""></b></a>"#);
    is("<a xmlns=''><b/></a>", "<a><b></b></a>");
    is("<p:a xmlns:p='v' xmlns='u'><b/><p:c/></p:a>", r#"<p:a xmlns:p="v"><b xmlns="u"></b><p:c></p:c></p:a>"#);
}

#[test]
fn attributes_are_sorted_by_namespace_then_name() {
    is(
        "<a z='1' b='2' y:a='3' x:b='4' xmlns:y='m' xmlns:x='n' xml:lang='de'/>",
        r#"<a xmlns:x="n" xmlns:y="m" b="2" z="1" xml:lang="de" y:a="3" x:b="4"></a>"#,
    );
}

#[test]
fn text_is_escaped_as_the_recommendation_says() {
    is("<a>&lt;&amp;&gt;&quot;'&#13;\r\n\t</a>", "<a>&lt;&amp;&gt;\"'&#xD;\n\t</a>");
    is("<a b='&lt;&amp;>&quot;&#39;&#9;&#10;&#13; \n'/>", "<a b=\"&lt;&amp;>&quot;'&#x9;&#xA;&#xD;  \"></a>");
    is("<a><![CDATA[<b>&]]></a>", "<a>&lt;b&gt;&amp;</a>");
    is("<?xml version='1.0'?>\n<a>ä&#228;𝄞</a>\n<!-- c -->", "<a>ää𝄞</a>");
}

#[test]
fn comments_stay_only_where_they_are_asked_for() {
    is("<a>x<!-- y -->z</a>", "<a>xz</a>");
    assert_eq!(canonicalize("<a>x<!-- y -->z</a>", &[], true).unwrap(), "<a>x<!-- y -->z</a>");
}

#[test]
fn listed_prefixes_are_declared_though_not_used() {
    let text = "<a xmlns:p='v' xmlns:q='w'><b xmlns:p='x'/></a>";
    let canonical = r#"<a xmlns:p="v"><b xmlns:p="x"></b></a>"#;
    assert_eq!(canonicalize(text, &["p", "none"], false).unwrap(), canonical);
    let text = "<p:a xmlns:p='v' xmlns='u'><p:b xmlns=''/></p:a>";
    let canonical = r#"<p:a xmlns="u" xmlns:p="v"><p:b xmlns=""></p:b></p:a>"#;
    assert_eq!(canonicalize(text, &["#default"], false).unwrap(), canonical);
}
