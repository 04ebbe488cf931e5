//! What is carried along of the collection: `UPDATE_EXPORT=1 cargo test --test ansible` writes this list.

/// The files by their paths, with what they say.
#[rustfmt::skip]
pub(super) const FILES: &[(&str, &str)] = &[
    ("CHANGELOG.rst", include_str!("../../../templates/ansible/CHANGELOG.rst")),
    ("README.md", include_str!("../../../templates/ansible/README.md")),
    ("changelogs/changelog.yaml", include_str!("../../../templates/ansible/changelogs/changelog.yaml")),
    ("galaxy.yml", include_str!("../../../templates/ansible/galaxy.yml")),
    ("meta/runtime.yml", include_str!("../../../templates/ansible/meta/runtime.yml")),
    ("plugins/action/instance.py", include_str!("../../../templates/ansible/plugins/action/instance.py")),
    ("plugins/doc_fragments/attributes.py", include_str!("../../../templates/ansible/plugins/doc_fragments/attributes.py")),
    ("plugins/doc_fragments/target.py", include_str!("../../../templates/ansible/plugins/doc_fragments/target.py")),
    ("plugins/module_utils/decision.py", include_str!("../../../templates/ansible/plugins/module_utils/decision.py")),
    ("plugins/module_utils/operation.py", include_str!("../../../templates/ansible/plugins/module_utils/operation.py")),
    ("plugins/module_utils/package.py", include_str!("../../../templates/ansible/plugins/module_utils/package.py")),
    ("plugins/module_utils/shown.py", include_str!("../../../templates/ansible/plugins/module_utils/shown.py")),
    ("plugins/module_utils/tool.py", include_str!("../../../templates/ansible/plugins/module_utils/tool.py")),
    ("plugins/modules/info.py", include_str!("../../../templates/ansible/plugins/modules/info.py")),
    ("plugins/modules/instance.py", include_str!("../../../templates/ansible/plugins/modules/instance.py")),
    ("plugins/modules/rollback.py", include_str!("../../../templates/ansible/plugins/modules/rollback.py")),
    ("roles/service/defaults/main.yml", include_str!("../../../templates/ansible/roles/service/defaults/main.yml")),
    ("roles/service/meta/argument_specs.yml", include_str!("../../../templates/ansible/roles/service/meta/argument_specs.yml")),
    ("roles/service/meta/main.yml", include_str!("../../../templates/ansible/roles/service/meta/main.yml")),
    ("roles/service/tasks/binary.yml", include_str!("../../../templates/ansible/roles/service/tasks/binary.yml")),
    ("roles/service/tasks/main.yml", include_str!("../../../templates/ansible/roles/service/tasks/main.yml")),
    ("tests/sanity/ignore-2.16.txt", include_str!("../../../templates/ansible/tests/sanity/ignore-2.16.txt")),
    ("tests/sanity/ignore-2.17.txt", include_str!("../../../templates/ansible/tests/sanity/ignore-2.17.txt")),
    ("tests/sanity/ignore-2.18.txt", include_str!("../../../templates/ansible/tests/sanity/ignore-2.18.txt")),
    ("tests/sanity/ignore-2.19.txt", include_str!("../../../templates/ansible/tests/sanity/ignore-2.19.txt")),
    ("tests/sanity/ignore-2.20.txt", include_str!("../../../templates/ansible/tests/sanity/ignore-2.20.txt")),
    ("tests/unit/plugins/module_utils/test_decision.py", include_str!("../../../templates/ansible/tests/unit/plugins/module_utils/test_decision.py")),
    ("tests/unit/plugins/module_utils/test_package.py", include_str!("../../../templates/ansible/tests/unit/plugins/module_utils/test_package.py")),
];
