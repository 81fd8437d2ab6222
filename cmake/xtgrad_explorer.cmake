# The explorer's page as C++: autograd/explorer/page.cpp includes its three parts as string literals. Its script is one function made of
# the files of page/, in this order: what is called at once stands before its caller.
set(explorer_page "${PROJECT_SOURCE_DIR}/autograd/explorer/page")
set(explorer_scripts dom numbers colors run tree list heat_map histogram table viewer step timeline search main)

# xtgrad_append_literals(name file...): an array of the files' texts, a literal each, for compilers limit their length.
function(xtgrad_append_literals name)
  string(APPEND explorer_source "constexpr std::string_view ${name}[] = {")
  foreach(file IN LISTS ARGN)
    file(READ "${explorer_page}/${file}" text)
    string(APPEND explorer_source "\n    R\"explorer(${text})explorer\",")
    set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${explorer_page}/${file}")
  endforeach()
  set(explorer_source "${explorer_source}};\n" PARENT_SCOPE)
endfunction()

set(explorer_source "")
xtgrad_append_literals(page_html page.html)
xtgrad_append_literals(page_css page.css)
list(TRANSFORM explorer_scripts APPEND ".js")
xtgrad_append_literals(page_js ${explorer_scripts})
file(CONFIGURE OUTPUT "${xtgrad_generated}/xtgrad_explorer.inc" CONTENT "${explorer_source}" @ONLY)
